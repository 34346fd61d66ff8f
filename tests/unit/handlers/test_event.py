"""The event: a CloudEvents envelope, and all that a consumer may rely on."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from handlers.event import CONTENT_TYPE, PaymentEvent
from handlers.fact import Fact, Reading
from handlers.jsontext import Json, compact, parse
from handlers.ledger import settle
from handlers.money import Amount
from handlers.observation import Observation, Origin, Position
from handlers.resource import ResourceKey
from handlers.writing import write_events

from .samples import AT, NOW, events, observation, resource, told, written
from .test_jsontext import JSON, nested

INVOICE = ResourceKey("smartpay", "shop", "invoice", "aBc123")
PAID_AT = datetime(2018, 1, 1, 12, tzinfo=UTC)


def data_of(details: Json) -> Any:
    """Return the provider data of an event, as a consumer parses it; a float is an error."""
    (event,) = written(Reading(INVOICE, (Fact(INVOICE, "created"),), details={"it": details}))
    parsed = json.loads(event.value, parse_float=lambda text: pytest.fail(f"{text} is a float"))
    return parsed["data"]["provider_data"]["it"]


def shape_of(value: Any) -> object:
    """Return ``value`` without its numbers: those may have become text."""
    if isinstance(value, dict):
        return {name: shape_of(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape_of(inner) for inner in value]
    return str(value)


def test_an_event_is_what_the_public_contract_shows() -> None:
    """Every attribute and field has its name, its place and its form."""
    body = b'{"invoice_id":"aBc123"}'
    seen = Observation("shop", Origin.WEBHOOK, "invoice/paid", NOW, body)
    shown = Reading(
        INVOICE,
        (Fact(INVOICE, "created"), Fact(INVOICE, "paid", PAID_AT)),
        Amount(1000, "CAD"),
        {"order": "o1", "consumer": "c1"},
        {"invoice_id": "aBc123"},
    )
    news = settle(None, shown, NOW).publications
    _, event = write_events(news, shown, seen, Position("payevents.inbox", 3, 1234))
    assert json.loads(event.value) == {
        "specversion": "1.0",
        "id": str(shown.facts[1].id),
        "source": "/smartpay/shop",
        "type": "payments.invoice.paid",
        "subject": "invoice/aBc123",
        "time": "2018-01-01T12:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:payevents:payment-event:1",
        "partitionkey": "smartpay/shop/invoice/aBc123",
        "data": {
            "provider": "smartpay",
            "account": "shop",
            "resource": {"kind": "invoice", "id": "aBc123", "url": None},
            "action": "paid",
            "status": "paid",
            "previous_status": "created",
            "sequence": 2,
            "amount": {"value": "10.00", "minor_units": 1000, "currency": "CAD"},
            "related": {"order": "o1", "consumer": "c1"},
            "occurred_at": "2018-01-01T12:00:00Z",
            "observed_at": "2026-01-01T12:00:00.123Z",
            "origin": "webhook",
            "inferred": False,
            "late": False,
            "test": False,
            "evidence": {
                "topic": "payevents.inbox",
                "partition": 3,
                "offset": 1234,
                "sha256": seen.digest,
            },
            "provider_data": {"invoice_id": "aBc123"},
        },
    }


def test_the_attributes_are_repeated_as_headers() -> None:
    """The headers say what the body says, as the CloudEvents Kafka binding names them."""
    for event in events():
        body = json.loads(event.value)
        headers = {name: raw.decode() for name, raw in event.headers}
        assert event.key.decode() == body["partitionkey"]
        assert event.type == body["type"]
        assert headers.pop("content-type") == CONTENT_TYPE == "application/cloudevents+json"
        assert headers == {
            f"ce_{name}": body[name]
            for name in ("specversion", "id", "type", "source", "subject", "time")
        }


def test_an_event_is_written_as_the_model_writes_it() -> None:
    """Each event is valid, and its bytes are those that the model would have written."""
    for event in events():
        assert (
            PaymentEvent.model_validate_json(event.value).model_dump_json().encode() == event.value
        )


def test_test_data_is_a_source_of_its_own() -> None:
    """A test event differs in source, key and flag; its subject is the resource's."""
    about = resource("invoice", test=True)
    (event,) = told(Reading(about, (Fact(about, "created"),)))
    assert (event.source, event.data.test) == ("/smartpay/shop/test", True)
    assert event.partitionkey == "smartpay/shop/test/invoice/aBc123"
    assert event.subject == "invoice/aBc123"


def test_a_base_goes_before_the_source_and_nowhere_else() -> None:
    """Several deployments differ in source; ids and keys stay as they are."""
    shown = Reading(INVOICE, (Fact(INVOICE, "created"),))
    news = settle(None, shown, NOW).publications
    (plain,) = told(shown)
    (event,) = write_events(news, shown, observation(), AT, source_base="https://pay.example.com")
    based = PaymentEvent.model_validate_json(event.value)
    assert based.source == "https://pay.example.com/smartpay/shop"
    assert based.model_copy(update={"source": plain.source}) == plain


def test_cherries_are_whole() -> None:
    """Fifty cherries are fifty, without decimals."""
    about = resource("transfer")
    (event,) = told(Reading(about, (Fact(about, "requested"),), Amount(50, "cherries")))
    assert event.data.amount is not None
    assert event.data.amount.model_dump() == {
        "value": "50",
        "minor_units": 50,
        "currency": "cherries",
    }


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (b"1.10", "1.10"),
        (b"0.1", "0.1"),
        (b"1E+2", "1E+2"),
        (b"9007199254740991", 9007199254740991),
        (b"9007199254740992", "9007199254740992"),
        (b"-9007199254740992", "-9007199254740992"),
        (b"true", True),
        (b"null", None),
        (b'["1.0", 1.0, {"a": 1.0}]', ["1.0", "1.0", {"a": "1.0"}]),
    ],
)
def test_no_digit_of_the_providers_data_is_lost(written: bytes, shown: object) -> None:
    """What a reader's floats could not hold goes as text; all else goes as it came."""
    assert data_of(parse(written)) == shown


@given(JSON)
def test_whatever_a_provider_sends_fits_into_an_event(details: Json) -> None:
    """Any JSON that can be read can be carried, without a float and in the same shape."""
    assert shape_of(data_of(parse(compact(details)))) == shape_of(details)


def test_the_deepest_json_fits_into_an_event() -> None:
    """What is as deep as may be read can be published too."""
    assert data_of(parse(nested(99))) == json.loads(nested(99))


def test_an_event_cannot_be_changed() -> None:
    """An event is a statement: it cannot be changed, and has no room for what is no part of it."""
    event = PaymentEvent.model_validate_json(next(events()).value)
    with pytest.raises(ValidationError, match="frozen"):
        event.id = "x"  # type: ignore[misc]  # the mistake that is tested
    with pytest.raises(ValidationError, match="extra"):
        PaymentEvent.model_validate({**event.model_dump(), "other": 1})
