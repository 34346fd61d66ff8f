from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from handlers.fact import Fact, Uninterpretable
from handlers.money import Amount
from handlers.observation import Origin
from handlers.resource import ResourceKey
from tests.unit.smartpay.host import actions, handler, interpreted, observed

INVOICE = {
    "invoice_id": "aBc123",
    "order_id": "o1",
    "consumer_id": 7,
    "name": "Cherries",
    "amount": "10.00",
    "amount_discounted": None,
    "payment_method": "d",
    "is_dummy": False,
    "is_enabled": True,
    "date_paid": None,
    "date_failed": None,
}
ORDER = {
    "order_id": "o1",
    "custom_order_id": "shop-1",
    "consumer_id": "c1",
    "is_dummy": False,
    "is_enabled": True,
    "number_of_invoices": 2,
}
PAID_AT = datetime(2018, 1, 1, 12, tzinfo=UTC)


def reading_of(body: dict[str, Any]) -> Any:
    """Return what a webhook with ``body`` is read as."""
    reading = interpreted(body).reading
    assert reading is not None
    return reading


def test_every_invoice_is_created_without_a_date() -> None:
    """A body has no date of creation, so the fact has none either."""
    reading = reading_of(INVOICE)
    assert reading.facts == (Fact(ResourceKey("smartpay", "shop", "invoice", "aBc123"), "created"),)
    assert reading.related == {"order": "o1", "consumer": "7"}
    assert reading.amount == Amount(1000, "CAD")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"date_paid": "2018-01-01 12:00:00"}, ["created", "paid"]),
        ({"date_failed": "2018-01-01 12:00:00"}, ["created", "failed"]),
        ({"is_enabled": False}, ["created", "cancelled"]),
        (
            {
                "date_paid": "2018-01-01 13:00:00",
                "date_failed": "2018-01-01 12:00:00",
                "is_enabled": "0",
            },
            ["created", "failed", "paid", "cancelled"],
        ),
        ({"date_paid": "", "date_failed": "0000-00-00 00:00:00", "is_enabled": None}, ["created"]),
    ],
)
def test_invoice_fields_assert_facts(changed: dict[str, Any], expected: list[str]) -> None:
    """date_paid shows paid, date_failed failed, a false is_enabled cancelled; nulls nothing."""
    assert actions(interpreted({**INVOICE, **changed})) == expected


def test_order_is_created_and_perhaps_cancelled() -> None:
    """An order has two facts; its consumer is related, and it has no amount."""
    assert actions(interpreted(ORDER, "order/created")) == ["created"]
    cancelled = interpreted({**ORDER, "is_enabled": "false"}, "order/cancelled")
    assert actions(cancelled) == ["created", "cancelled"]
    assert cancelled.reading is not None
    assert cancelled.reading.related == {"consumer": "c1"}
    assert cancelled.reading.amount is None


@pytest.mark.parametrize(
    "text",
    [
        "2018-01-01 12:00:00",
        " 2018-01-01 12:00:00 ",
        "2018-01-01T12:00:00Z",
        "2018-01-01t12:00:00z",
        "2018-01-01T12:00:00",
        "2018-01-01T07:00:00-05:00",
        "2018-01-01T12:00:00.000+0000",
    ],
)
def test_dates_are_utc_in_every_form(text: str) -> None:
    """SmartPay's own form and ISO 8601 give the same facts with the same ids."""
    plain = reading_of({**INVOICE, "date_paid": "2018-01-01 12:00:00", "date_failed": text})
    failed, paid = plain.facts[1:]
    assert failed.occurred_at == paid.occurred_at == PAID_AT
    assert failed.discriminator == "2018-01-01 12:00:00"


def test_a_payment_can_fail_twice() -> None:
    """Each failure is a fact of its own, told apart by its date as sent."""
    first = reading_of({**INVOICE, "date_failed": "2018-01-01 12:00:00"}).facts[1]
    second = reading_of({**INVOICE, "date_failed": "2018-01-02 12:00:00"}).facts[1]
    assert first.id != second.id


def test_the_discounted_amount_is_what_is_paid() -> None:
    """The undiscounted figure is kept beside it, with both decimals."""
    reading = reading_of({**INVOICE, "amount": Decimal("10.5"), "amount_discounted": "8"})
    assert reading.amount == Amount(800, "CAD")
    assert reading.details["amount_before_discount"] == "10.50"


@pytest.mark.parametrize("discounted", [None, "", "10.00", 10])
def test_no_discount_is_no_detail(discounted: Any) -> None:
    """A discount that is not stated, or takes nothing off, leaves no second figure."""
    reading = reading_of({**INVOICE, "amount_discounted": discounted})
    assert reading.amount == Amount(1000, "CAD")
    assert "amount_before_discount" not in reading.details


def test_an_amount_may_be_missing() -> None:
    """No amount stated is no amount, not zero."""
    assert reading_of({"invoice_id": "i"}).amount is None


@pytest.mark.parametrize("dummy", [True, "true", "True", 1, "1"])
def test_dummies_are_test_data(dummy: Any) -> None:
    """is_dummy makes the resource another than the live one, in the same partition."""
    test, live = reading_of({**INVOICE, "is_dummy": dummy}).resource, reading_of(INVOICE).resource
    assert test.test
    assert test.partition_key != live.partition_key
    assert test.inbox_key == live.inbox_key


def test_denials_need_a_statement() -> None:
    """Only a stated null denies paid, and only a stated true denies cancelled."""
    assert reading_of(INVOICE).denied == {"paid", "cancelled"}
    assert reading_of({**INVOICE, "date_paid": ""}).denied == {"paid", "cancelled"}
    assert reading_of({"invoice_id": "aBc123"}).denied == frozenset()
    assert reading_of({**INVOICE, "is_enabled": None}).denied == {"paid"}
    assert reading_of({**INVOICE, "date_paid": "2018-01-01 12:00:00"}).denied == {"cancelled"}
    assert reading_of(ORDER).denied == {"cancelled"}


def test_details_are_the_documented_fields_as_they_came() -> None:
    """Decimals stay exact, and what could be personal does not get through."""
    raw = b'{"invoice_id": 7, "amount": 10.10, "email": "ada@example.com", "name": {"a": "b"}}'
    said = handler().interpret(observed(raw))
    assert said.reading is not None
    assert said.reading.details == {"invoice_id": 7, "amount": Decimal("10.10")}
    assert str(said.reading.details["amount"]) == "10.10"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "ten"),
        ("amount", "-1"),
        ("amount", "10.001"),
        ("amount", True),
        ("amount", Decimal("1E+400")),
        ("amount_discounted", "NaN"),
        ("date_paid", "yesterday"),
        ("date_paid", "2018-13-01 12:00:00"),
        ("date_paid", "2018-01-01"),
        ("date_paid", 1514808000),
        ("date_failed", "0001-01-01T00:00:00+05:00"),
        ("is_enabled", "perhaps"),
        ("is_enabled", 2),
        ("is_enabled", ["1"]),
        ("is_dummy", Decimal("1.0")),
    ],
)
def test_what_cannot_be_read_is_a_bad_field(field: str, value: Any) -> None:
    """An amount, date or boolean is never guessed; the detail names the field."""
    with pytest.raises(Uninterpretable, match=field) as refused:
        interpreted({**INVOICE, field: value})
    assert refused.value.reason == "bad-field"


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"null", b"\xff", b'{"a": NaN}', b'{"a": 1' + b"1" * 5000]
)
def test_what_is_no_json_object_is_not_json(raw: bytes) -> None:
    """Whatever is not an object in JSON is refused with that reason, and still has a key."""
    with pytest.raises(Uninterpretable) as refused:
        interpreted(raw)
    assert refused.value.reason == "not-json"
    assert handler().inbox_key("", raw).startswith("smartpay/shop/unknown/")


@pytest.mark.parametrize(
    ("topic", "row"), [("invoices", {**INVOICE, "is_enabled": "0"}), ("orders", ORDER)]
)
def test_rows_of_a_listing_claim_nothing(topic: str, row: dict[str, Any]) -> None:
    """A polled or looked-up row says what its fields say, and no more."""
    said = handler().interpret(observed(row, topic, Origin.LOOKUP))
    assert said.claim is None
    assert said.reading == interpreted(row).reading


def test_a_row_without_an_id_is_no_event() -> None:
    """A row that names nothing becomes a dead letter, not nothing."""
    with pytest.raises(Uninterpretable) as refused:
        handler().interpret(observed({"amount": "10.00"}, "invoices", Origin.LOOKUP))
    assert refused.value.reason == "no-id"
