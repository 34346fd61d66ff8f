"""What a Voucherry transfer or transfer request asserts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.fact import Uninterpretable
from handlers.jsontext import Json, JsonObject, compact
from handlers.letters import Reason
from handlers.voucherry.handler import VoucherryHandler

from .host import BASE_URL, observed, reading, settings

TRANSFERS, REQUESTS = "cherries_transfers", "cherries_requests"
WAITING: JsonObject = {
    "id": 7,
    "cherries_amount": 50,
    "status": "waiting_for_confirmation",
    "created_at": "2014-03-14T10:00:00+01:00",
    "invite_id": 3,
    "url": f"{BASE_URL}/{REQUESTS}/7",
    "metadata": {"note": "for you"},
}
CREATED_AT = datetime(2014, 3, 14, 9, 0, tzinfo=UTC)


def request(**changed: object) -> JsonObject:
    """Return the waiting request with some fields changed."""
    return {**WAITING, **changed}  # type: ignore[dict-item]  # JSON, as each test writes it


def test_a_waiting_request_was_requested_when_it_was_created() -> None:
    """While it waits, requested is asserted, at created_at, and confirmed is ruled out."""
    found = reading(WAITING, REQUESTS)
    assert [(f.action, f.occurred_at) for f in found.facts] == [("requested", CREATED_AT)]
    assert found.denied == {"confirmed"}


def test_a_confirmed_one_was_requested_too() -> None:
    """Confirmed asserts requested as well; when it was confirmed is not known."""
    found = reading(request(status="confirmed"), REQUESTS)
    assert [(f.action, f.occurred_at) for f in found.facts] == [
        ("requested", CREATED_AT),
        ("confirmed", None),
    ]
    assert found.denied == frozenset()


def test_an_unknown_status_is_an_update_of_its_own() -> None:
    """An unknown status asserts requested, and updated with the raw status as discriminator."""
    found = reading(request(status="on hold"), REQUESTS)
    assert [(f.action, f.discriminator, f.occurred_at) for f in found.facts] == [
        ("requested", None, CREATED_AT),
        ("updated", "on hold", None),
    ]
    assert found.denied == frozenset()


def test_transfers_and_requests_are_counted_apart() -> None:
    """The same id in the two collections names two resources, with keys of their own."""
    bound = VoucherryHandler(settings())
    body = request(url=None)
    assert reading(body, TRANSFERS).resource.partition_key == "voucherry/cherries/transfer/7"
    assert reading(body, REQUESTS).resource.partition_key == "voucherry/cherries/transfer_request/7"
    keys = {bound.inbox_key(topic, compact(body)) for topic in (TRANSFERS, REQUESTS)}
    assert keys == {reading(body, topic).resource.inbox_key for topic in (TRANSFERS, REQUESTS)}
    assert len(keys) == 2


def test_the_amount_is_in_cherries() -> None:
    """The amount is a whole number of cherries; null states none."""
    found = reading(WAITING, REQUESTS).amount
    assert found is not None
    assert (found.value, found.minor_units, found.currency) == ("50", 50, "cherries")
    assert reading(request(cherries_amount=None), REQUESTS).amount is None


def test_the_rest_goes_along_as_it_came() -> None:
    """Url, invite and every field, known or not, go along."""
    body = request(something_new=[1])
    found = reading(body, REQUESTS)
    assert found.url == f"{BASE_URL}/{REQUESTS}/7"
    assert found.related == {"invite": "3"}
    assert found.details == body


def test_null_says_nothing() -> None:
    """A null time, invite and url are none."""
    found = reading(request(created_at=None, invite_id=None, url=None), REQUESTS)
    assert (found.facts[0].occurred_at, found.related, found.url) == (None, {}, None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (request(status=None), Reason.BAD_FIELD),
        (request(status=""), Reason.BAD_FIELD),
        (request(cherries_amount=-1), Reason.BAD_FIELD),
        (request(cherries_amount="many"), Reason.BAD_FIELD),
        (request(created_at="2014-03-14"), Reason.BAD_FIELD),
        (request(url=7), Reason.BAD_FIELD),
        (request(url=f"{BASE_URL}/{REQUESTS}/7/confirm"), Reason.BAD_FIELD),
        (request(url=f"https://elsewhere.example/{REQUESTS}/7"), Reason.BAD_FIELD),
        (request(id="../7"), Reason.BAD_FIELD),
        (request(id=None), Reason.NO_ID),
        ([], Reason.NOT_JSON),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(body: Json, reason: Reason) -> None:
    """A resource without an id, or with a field that cannot be read, becomes no event."""
    with pytest.raises(Uninterpretable) as refused:
        reading(body, REQUESTS)
    assert refused.value.reason == reason


def test_an_unknown_collection_is_refused() -> None:
    """A resource from a collection that Voucherry does not have becomes no event."""
    with pytest.raises(Uninterpretable) as refused:
        VoucherryHandler(settings()).interpret(observed(WAITING, "vouchers"))
    assert refused.value.reason == Reason.TOPIC_BEYOND_BODY


@given(st.text(), st.binary())
def test_the_inbox_key_is_never_refused(topic: str, body: bytes) -> None:
    """What names no resource is keyed by its digest, whatever the topic."""
    bound = VoucherryHandler(settings())
    assert bound.inbox_key(topic, body).startswith("voucherry/cherries/unknown/")
    assert bound.inbox_key(REQUESTS, body).startswith("voucherry/cherries/unknown/")
