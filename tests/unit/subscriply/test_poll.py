"""What the watches of a Subscriply account show."""

import pytest

from handlers.exchange import AccountFailed, ProviderFailure, Response, WatchFailed
from handlers.jsontext import Json, parse
from handlers.provider import Watch
from handlers.subscriply.sandbox.server import Collections
from tests.support.conversation import converse, script

from .host import ROOT, Members, observed, transactions

TOKEN = Response.json(200, {"user": {"authentication_token": "t1"}})


def test_an_account_begins_with_its_root_watch() -> None:
    """The only watch from the beginning lists the subscriptions."""
    assert Members().handler.watches() == (ROOT,)


@pytest.mark.parametrize("collections", Collections)
def test_the_root_discovers_a_watch_for_each_subscription(collections: Collections) -> None:
    """The listing, rooted or bare, gives one watch for each subscription, paced by its state."""
    members = Members(collections)
    states = ["active", "canceling", "future", "canceled"]
    ids = [str(members.cause("add-subscription", state=state)["id"]) for state in states]
    polled = members.poll(ROOT)
    assert polled.resources == ()
    assert [found.watch for found in polled.discovered] == [transactions(id_) for id_ in ids]
    assert [found.pace for found in polled.discovered] == [1.0, 1.0, 1.0, 10.0]
    assert polled.ending is None


@pytest.mark.parametrize("collections", Collections)
def test_a_user_without_subscriptions_or_transactions_is_no_error(collections: Collections) -> None:
    """Empty collections, rooted, bare or null, show nothing and fail nothing."""
    members = Members(collections)
    assert members.poll(ROOT).discovered == ()
    subscription = members.cause("add-subscription")["id"]
    assert members.poll(transactions(subscription)).resources == ()


@pytest.mark.parametrize("collections", Collections)
def test_a_subscription_shows_its_whole_index(collections: Collections) -> None:
    """Charges, refunds and voids come from the index, each as compact JSON."""
    members = Members(collections)
    subscription = members.cause("add-subscription")["id"]
    members.cause("charge", amount="1999")
    members.cause("void")
    members.cause("refund", amount="500")
    members.cause("decline", invoiced="no")
    polled = members.poll(transactions(subscription))
    seen = [members.handler.interpret(observed(parse(r.body))).reading for r in polled.resources]
    told = [(r.resource.kind, r.facts[0].action, r.amount.value) for r in seen if r and r.amount]
    assert told == [
        ("charge", "voided", "19.99"),
        ("refund", "succeeded", "5.00"),
        ("charge", "declined", "10.00"),
    ]
    assert {r.topic for r in polled.resources} == {"transactions"}
    assert members.paths()[-1] == f"/subscriptions/{subscription}/transactions"


def test_an_unchanged_transaction_has_unchanged_bytes() -> None:
    """Two polls without a change between them give the same bytes, which the host compares."""
    members = Members()
    watch = transactions(members.cause("add-subscription")["id"])
    members.cause("charge")
    assert members.poll(watch).resources == members.poll(watch).resources


def test_only_the_subscriptions_own_transactions_are_shown() -> None:
    """A watch shows the transactions of its subscription, not those of another."""
    members = Members()
    first, second = (members.cause("add-subscription")["id"] for _ in range(2))
    made = members.cause("charge", subscription=str(second))
    assert members.poll(transactions(first)).resources == ()
    (resource,) = members.poll(transactions(second)).resources
    assert parse(resource.body) == made


def test_a_dead_subscription_fails_alone() -> None:
    """A 500 for one subscription's transactions fails that watch; the root and others go on."""
    members = Members()
    first, second = (members.cause("add-subscription")["id"] for _ in range(2))
    members.cause("break-subscription", subscription=str(first))
    with pytest.raises(WatchFailed, match="HTTP 500"):
        members.poll(transactions(first))
    members.poll(transactions(second))
    assert len(members.poll(ROOT).discovered) == 2
    members.cause("break-subscription", subscription=str(first), broken="no")
    members.poll(transactions(first))


@pytest.mark.parametrize(
    ("watch", "failure"), [(ROOT, AccountFailed), (transactions("7"), WatchFailed)]
)
@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (Response(500), "HTTP 500"),
        (Response(302), "HTTP 302"),
        (Response(204), "HTTP 204"),
        (None, "no answer in time"),
        (Response(200, b"<html>"), "not JSON"),
        (Response(200, b""), "not JSON"),
        (Response.json(200, {"error": "x"}), "has no"),
        (Response.json(200, 7), "is not a list"),
        (Response.json(200, {"subscriptions": 7, "transactions": {}}), "is not a list"),
    ],
)
def test_an_answer_beyond_the_documents_fails_the_watch_or_the_account(
    watch: Watch, failure: type[ProviderFailure], answer: Response | None, detail: str
) -> None:
    """What is not as documented fails that watch; at the root, which is the probe, the account."""
    with pytest.raises(failure, match=detail) as failed:
        converse(Members().start(watch), script(TOKEN, answer))
    assert type(failed.value) is failure
    assert watch.kind in str(failed.value)


ODD: list[Json] = [None, 7, "x", [], {}, {"id": None}, {"id": True}]


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_transaction_is_shown_too(odd: Json) -> None:
    """An element that is no transaction goes along, so that it becomes a dead letter."""
    answer = Response.json(200, {"transactions": [odd, {"id": 1}]})
    polled = converse(Members().start(transactions("7")), script(TOKEN, answer))
    assert [parse(resource.body) for resource in polled.resources] == [odd, {"id": 1}]


@pytest.mark.parametrize("odd", [*ODD, {"id": ".."}, {"id": "1/cancel"}, {"id": "a b"}])
def test_an_odd_subscription_is_shown_and_the_others_found(odd: Json) -> None:
    """A subscription that cannot be watched goes along; those beside it are found."""
    answer = Response.json(200, {"subscriptions": [odd, {"id": 1, "state": ["?"]}]})
    polled = converse(Members().start(ROOT), script(TOKEN, answer))
    assert [(r.topic, parse(r.body)) for r in polled.resources] == [("subscriptions", odd)]
    assert [found.watch.id for found in polled.discovered] == ["1"]


def test_an_element_may_be_rooted_by_itself() -> None:
    """A collection of ``{"transaction": {...}}`` shows the transactions in it."""
    answer = Response.json(200, [{"transaction": {"id": 1}}])
    (resource,) = converse(Members().start(transactions("7")), script(TOKEN, answer)).resources
    assert parse(resource.body) == {"id": 1}


def test_decimals_and_unknown_fields_keep_their_digits() -> None:
    """What goes on is exactly what came, less its white space."""
    answer = Response(200, b'{"transactions": [ {"id": 1, "rate": 1.10, "new": {"x": null}} ]}')
    (resource,) = converse(Members().start(transactions("7")), script(TOKEN, answer)).resources
    assert resource.body == b'{"id":1,"rate":1.10,"new":{"x":null}}'


@pytest.mark.parametrize(
    ("kind", "id_"),
    [("subscriptions", "1"), ("invoices", "1"), ("transactions", ".."), ("transactions", "1/2")],
)
def test_a_watch_that_subscriply_does_not_have_asks_nothing(kind: str, id_: str) -> None:
    """An unknown watch, or an id that could lead elsewhere, fails before any request."""
    members = Members()
    with pytest.raises(WatchFailed, match="nothing to watch"):
        members.poll(Watch("members", kind, id_))
    assert members.requests == []


def test_watches_are_found_and_not_registered() -> None:
    """Registering a watch is refused: the root finds all there is."""
    with pytest.raises(ValueError, match="cannot be registered"):
        Members().handler.watch("transactions", "1")
