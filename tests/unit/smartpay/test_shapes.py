from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.fact import Interpretation, Uninterpretable
from handlers.jsontext import compact
from handlers.observation import Origin
from handlers.provider import Resource
from tests.unit.smartpay.host import actions, handler, interpreted, observed

WRAPPERS = ["data", "invoice", "order", "result"]

dates = st.none() | st.datetimes().map(lambda d: d.replace(microsecond=0).isoformat(" "))
texts = st.text(st.characters(codec="utf-8"), max_size=20)
ids = texts.filter(lambda text: text == text.strip() != "")
cents = st.integers(0, 10**9)
invoices = st.fixed_dictionaries(
    {
        "invoice_id": ids | st.integers(),
        "order_id": ids,
        "amount": cents.map(lambda c: Decimal(c).scaleb(-2)),
        "is_dummy": st.booleans(),
        "is_enabled": st.booleans(),
        "date_paid": dates,
        "date_failed": dates,
    }
)
orders = st.fixed_dictionaries(
    {"order_id": ids | st.integers(), "is_dummy": st.booleans(), "is_enabled": st.booleans()}
)


def as_text(value: Any, draw: st.DrawFn) -> Any:
    """Return a value as text, in one of the ways that a provider may write it."""
    if value is None:
        return draw(st.sampled_from([None, "", "0000-00-00 00:00:00"]))
    if isinstance(value, bool):
        return draw(st.sampled_from([value, int(value), str(int(value)), str(value).lower()]))
    return draw(st.sampled_from([value, str(value)]))


@st.composite
def shapes(draw: st.DrawFn, fields: dict[str, Any], wrappers: list[str]) -> Any:
    """Return ``fields`` in another shape that means the same."""
    body: Any = {name: as_text(value, draw) for name, value in fields.items()}
    for _ in range(draw(st.integers(0, 2))):
        if draw(st.booleans()):
            body = [{name: value} for name, value in body.items()]
        elif draw(st.booleans()):
            body = [body]
        body = {draw(st.sampled_from(wrappers)): body}
    return body


def shown(said: Interpretation) -> Any:
    """Return what must not depend on the shape."""
    assert said.reading is not None
    reading = said.reading
    return reading.resource, reading.facts, reading.amount, reading.denied, reading.related


@given(st.data())
def test_the_shape_of_an_invoice_makes_no_difference(data: st.DataObject) -> None:
    """Nested or flat, texts or numbers, lists of pairs or objects: same facts, same key."""
    fields: Any = data.draw(invoices)
    shape = data.draw(shapes(fields, WRAPPERS))
    assert shown(interpreted(shape)) == shown(interpreted(fields))
    key = handler().inbox_key("anything", compact(shape))
    assert key == handler().inbox_key("invoices", compact(fields))
    assert key == shown(interpreted(shape))[0].inbox_key


@given(st.data())
def test_the_shape_of_an_order_makes_no_difference(data: st.DataObject) -> None:
    """So too for orders, but that nothing below ``invoice`` is one."""
    fields: Any = data.draw(orders)
    shape = data.draw(shapes(fields, ["data", "order", "result"]))
    assert shown(interpreted(shape, "order/created")) == shown(interpreted(fields, "order/created"))
    assert handler().inbox_key("", compact(shape)) == handler().inbox_key("", compact(fields))


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | texts,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from([*WRAPPERS, "invoice_id", "order_id", "is_enabled", "amount"]), inner
        )
    ),
)


@given(st.binary() | anything.map(compact))
def test_anything_at_all_has_a_key_and_an_end(raw: bytes) -> None:
    """inbox_key never raises, and reading ends in an interpretation or a reasoned refusal."""
    key = handler().inbox_key("", raw)
    assert key.startswith("smartpay/shop/")
    reason = None
    try:
        reading = interpreted(raw).reading
        assert reading is None or reading.resource.inbox_key == key
    except Uninterpretable as refused:
        reason = refused.reason
    assert reason in {None, "not-json", "no-id", "bad-field"}


def test_an_order_beside_its_invoice_says_nothing_of_it() -> None:
    """Facts are about the one resource that keys the body: the order is cancelled, not this."""
    body: Any = {
        "order": {"order_id": "o1", "is_enabled": False},
        "invoice": {"invoice_id": "i1", "is_enabled": True},
    }
    assert actions(interpreted(body)) == ["created"]
    assert handler().inbox_key("order/cancelled", compact(body)).endswith("invoice/i1")


@pytest.mark.parametrize(
    "body",
    [
        {"invoice": {"order_id": "o1", "is_enabled": False}},
        {"data": {"order_id": "o1", "is_enabled": False, "date_paid": None}},
        {"data": {"order_id": "o1", "is_enabled": False, "amount": "10.00"}},
        {"invoice_id": {"nested": 1}, "order_id": "o1", "is_enabled": False},
        {"invoice_id": True, "order_id": "o1", "is_enabled": False},
    ],
)
def test_an_invoice_without_a_usable_id_is_not_its_order(body: dict[str, Any]) -> None:
    """A cancelled invoice that lost its id must not cancel the order it belongs to."""
    assert interpreted(body, "invoice/cancelled").reading is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"invoice_id": None},
        {"invoice_id": "  "},
        {"invoice_id": Decimal("1.5")},
        {"invoice_id": "x" * 256},
        {"data": {"data": {"data": {"invoice_id": "too deep"}}}},
        {"result": [{"invoice_id": "a"}, {"invoice_id": "b"}]},
        {"result": [{"invoice_id": "a", "amount": 1}, {"invoice_id": "b", "amount": 1}]},
        {"result": []},
        {"result": ["invoice_id", "a"]},
    ],
)
def test_a_body_without_one_usable_id_is_a_dead_letter(body: dict[str, Any]) -> None:
    """No id, an absurd one, or more than one resource: nothing is guessed."""
    with pytest.raises(Uninterpretable) as refused:
        interpreted(body)
    assert refused.value.reason == "no-id"
    assert "/unknown/" in handler().inbox_key("", compact(body))


def test_a_looked_up_row_has_the_key_of_its_webhook() -> None:
    """A webhook and the row that is read because of it meet in one partition."""
    row = Resource("invoices", compact({"invoice_id": 7, "is_enabled": "1"}))
    webhook = compact({"data": [{"invoice_id": "7"}]})
    assert handler().inbox_key(row.topic, row.body) == handler().inbox_key("invoice/paid", webhook)
    assert handler().interpret(observed(row.body, row.topic, Origin.LOOKUP)).reading is not None


@pytest.mark.parametrize(
    "body",
    [
        {"is_dummy": True, "data": {"invoice_id": "i1"}},
        {"is_dummy": "1", "data": {"invoice": {"invoice_id": "i1", "is_dummy": "0"}}},
        {"invoice": {"invoice_id": "i1"}, "order": {"order_id": "o1", "is_dummy": "true"}},
        {"invoice_id": "i1", "data": [{"is_dummy": 1}]},
    ],
)
def test_a_mark_anywhere_makes_it_test_data(body: dict[str, Any]) -> None:
    """A test's payload has ``is_dummy: true``; wherever that stands, no money is made of it."""
    reading = interpreted({**body, "date_paid": "2018-01-01 12:00:00"}).reading
    assert reading is not None
    assert reading.resource.test
    assert reading.details["is_dummy"] not in (None, "0")


def test_a_mark_that_cannot_be_read_is_no_mark_of_live_data() -> None:
    """Neither test nor live for certain: a dead letter."""
    body = {"is_dummy": "perhaps", "data": {"invoice_id": "i1", "is_dummy": "0"}}
    with pytest.raises(Uninterpretable) as refused:
        interpreted(body)
    assert refused.value.reason == "bad-field"
