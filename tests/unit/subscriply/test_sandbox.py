"""The stand-in for Subscriply: as strict and as unkind as the documents say."""

from uuid import UUID

import pytest

from handlers.exchange import Request, Response
from handlers.jsontext import Json, JsonObject, parse
from handlers.subscriply import provider
from handlers.subscriply.sandbox.server import SubscriplySandbox

from .host import BASE_URL, NOW, ROOT, Members, observed, transactions

SIGN_IN = "/authentication/sign_in"
CREDENTIALS: Json = {"email": "members@sandbox.example", "password": "password-of-members"}


def ask(sandbox: SubscriplySandbox, request: Request) -> Response:
    """Return the sandbox's answer."""
    return sandbox.handle(request, NOW)


def signed_in(sandbox: SubscriplySandbox, name: str = "members") -> dict[str, str]:
    """Sign in, and return the headers of a signed-in user."""
    user: Json = {"email": f"{name}@sandbox.example", "password": f"password-of-{name}"}
    answer = ask(sandbox, Request.json("POST", SIGN_IN, {"user": user})).object()["user"]
    assert isinstance(answer, dict)
    return {
        "x-user-email": str(answer["email"]),
        "x-user-token": str(answer["authentication_token"]),
    }


def get(sandbox: SubscriplySandbox, path: str, headers: dict[str, str]) -> Response:
    """Return the answer to a GET."""
    return ask(sandbox, Request("GET", path, headers=headers))


def test_the_provider_makes_a_fresh_sandbox() -> None:
    """The provider's sandbox is this one, and sends nothing by itself."""
    sandbox = provider.sandbox()
    sandbox.subscribe("http://127.0.0.1:1")
    sandbox.answered("x", None, NOW)
    assert isinstance(sandbox, SubscriplySandbox)
    assert sandbox.due(NOW) == ()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": CREDENTIALS}, 200),
        ({"user": {"email": "members@sandbox.example", "password": "no"}}, 401),
        ({"user": {"email": "other@sandbox.example", "password": "no"}}, 401),
        ({"user": {"email": "members@sandbox.example"}}, 500),
        (CREDENTIALS, 500),
        ({"user": CREDENTIALS, "more": 1}, 500),
        ([], 500),
    ],
)
def test_sign_in_wants_the_documented_body(body: Json, status: int) -> None:
    """Only the documented body signs in; wrong credentials get 401, another body 500."""
    sandbox = Members().sandbox
    assert ask(sandbox, Request.json("POST", SIGN_IN, body)).status == status


def test_signing_in_again_gives_the_living_token() -> None:
    """Tokens have no forced end: signing in twice gives the same one."""
    sandbox = Members().sandbox
    assert signed_in(sandbox) == signed_in(sandbox)


@pytest.mark.parametrize("path", ["/subscriptions", "/subscriptions/active", "/subscriptions/99"])
@pytest.mark.parametrize("change", [{"x-user-token": "no"}, {"x-user-email": "x@y"}, None])
def test_a_bad_token_gets_401(path: str, change: dict[str, str] | None) -> None:
    """Without the user's own address and living token every known path answers 401."""
    sandbox = Members().sandbox
    headers = {} if change is None else signed_in(sandbox) | change
    assert get(sandbox, path, headers).status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/subscriptions/",
        "/transactions",
        "/subscriptions/99",
        "/subscriptions/x",
        "/subscriptions/99/transactions",
        "/authentication/sign_in",
        "/subscriptions/1/transactions/other",
    ],
)
def test_every_other_error_is_a_500(path: str) -> None:
    """Unknown paths, methods and ids all answer 500."""
    sandbox = Members().sandbox
    headers = signed_in(sandbox)
    assert get(sandbox, path, headers).status == 500
    assert ask(sandbox, Request("PUT", path, headers=headers)).status == 500


def test_a_user_sees_only_what_is_the_users_own() -> None:
    """Another user's subscription is unknown: 500, and not in the listing."""
    members = Members()
    members.sandbox.account("others", BASE_URL)
    mine = members.cause("add-subscription", account="members")["id"]
    headers = signed_in(members.sandbox, "others")
    assert get(members.sandbox, f"/subscriptions/{mine}", headers).status == 500
    assert get(members.sandbox, f"/subscriptions/{mine}/transactions", headers).status == 500
    assert get(members.sandbox, "/subscriptions", headers).object() == {"subscriptions": []}


def test_answers_are_rooted_as_documented() -> None:
    """Collections come under their name, a single subscription under its own."""
    members = Members()
    active = members.cause("add-subscription")
    canceled = members.cause("add-subscription", state="canceled")
    headers = signed_in(members.sandbox)

    def body(path: str) -> JsonObject:
        return get(members.sandbox, path, headers).object()

    assert body("/subscriptions") == {"subscriptions": [active, canceled]}
    assert body("/subscriptions/active") == {"subscriptions": [active]}
    assert body(f"/subscriptions/{active['id']}") == {"subscription": active}


def test_successful_and_failed_hold_charges_only() -> None:
    """Refunds and voids appear only in the index."""
    members = Members()
    subscription = members.cause("add-subscription")["id"]
    good = members.cause("charge")
    bad = members.cause("decline")
    members.cause("refund")
    members.cause("void", transaction=str(members.cause("charge")["id"]))
    headers = signed_in(members.sandbox)
    index = f"/subscriptions/{subscription}/transactions"
    shown = [
        get(members.sandbox, index + end, headers).object()["transactions"]
        for end in ("", "/successful", "/failed")
    ]
    assert shown[1:] == [[good], [bad]]
    assert isinstance(shown[0], list)
    assert len(shown[0]) == 4


def test_ids_and_uuids_are_deterministic() -> None:
    """Two sandboxes driven alike show the same, byte for byte."""

    def drive() -> list[JsonObject]:
        members = Members()
        return [members.cause(name) for name in ("add-subscription", "charge", "refund", "void")]

    assert drive() == drive()


def test_a_canceled_subscription_is_shown_as_such() -> None:
    """Cancelling makes the subscription slow to poll; it can still be refunded."""
    members = Members()
    members.cause("add-subscription")
    assert members.cause("cancel-subscription")["state"] == "canceled"
    (found,) = members.poll(ROOT).discovered
    assert found.pace == 10.0
    members.cause("refund")
    assert len(members.poll(found.watch).resources) == 1


@pytest.mark.parametrize(
    ("control", "arguments"),
    [
        ("charge", {}),
        ("charge", {"account": "nobody"}),
        ("add-subscription", {"account": "nobody"}),
        ("void", {"transaction": "99"}),
        ("set-state", {}),
    ],
)
def test_a_control_says_what_it_cannot_do(control: str, arguments: dict[str, str]) -> None:
    """A control that cannot do what is asked raises ValueError."""
    with pytest.raises(ValueError, match=r"there is no|has no|missing"):
        Members().cause(control, **arguments)


def test_a_negative_amount_is_no_charge() -> None:
    """The sandbox makes no negative transactions."""
    members = Members()
    members.cause("add-subscription")
    with pytest.raises(ValueError, match="negative"):
        members.cause("charge", amount="-1")


def asserted(members: Members, subscription: Json) -> set[UUID]:
    """Poll a subscription, and return the ids of the facts that the handler reads."""
    resources = members.poll(transactions(subscription)).resources
    readings = [members.handler.interpret(observed(parse(r.body))).reading for r in resources]
    return {fact.id for reading in readings if reading for fact in reading.facts}


def test_what_was_answered_is_what_the_facts_say() -> None:
    """The sandbox's account of what it has shown equals the facts, state after state."""
    members = Members()
    subscription = members.cause("add-subscription")["id"]
    assert members.sandbox.caused("members") == frozenset()
    members.cause("charge")
    members.cause("decline")
    members.cause("refund")
    assert members.sandbox.caused("members") == frozenset()
    seen = asserted(members, subscription)
    members.cause("set-state", state="pending")
    seen |= asserted(members, subscription)
    members.cause("set-state", state="unseen")
    members.cause("void")
    seen |= asserted(members, subscription)
    assert len(seen) == 5
    assert members.sandbox.caused("members") == seen
    assert members.sandbox.caused("others") == frozenset()
