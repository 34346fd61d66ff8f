"""What SmartPay's invoices and orders show: the facts come from the fields, never from a topic."""

from collections.abc import Callable
from typing import TypeVar

from handlers.fact import Fact, Reading, Uninterpretable
from handlers.jsontext import Json, JsonObject, Unreadable
from handlers.letters import Reason
from handlers.money import Amount
from handlers.resource import ResourceKey, usable_id
from handlers.smartpay import values
from handlers.smartpay.body import DUMMY, INVOICE, ORDER, Found

PROVIDER = "smartpay"

_DOCUMENTED = {
    "invoice_id",
    "order_id",
    "order_custom_id",
    "custom_order_id",
    "consumer_id",
    "name",
    "amount",
    "amount_discounted",
    "payment_method",
    "is_dummy",
    "is_enabled",
    "date_paid",
    "date_failed",
    "number_of_invoices",
}
"""Only these are passed on: what else might come could be personal."""

_RELATED = {
    INVOICE: (("order", "order_id"), ("consumer", "consumer_id")),
    ORDER: (("consumer", "consumer_id"),),
}
"""The other resources that a resource of each kind names, and in which fields."""

_NESTED = frozenset({dict, list})

_T = TypeVar("_T")


def read(account: str, found: Found) -> Reading:
    """Return what the fields of an invoice or order show.

    An invoice is created; paid if it has ``date_paid``; failed if it has ``date_failed``;
    cancelled if ``is_enabled`` is false. An order is created and perhaps cancelled. A creation has
    no date: SmartPay states none.

    Raises:
        Uninterpretable: an amount, a date or a boolean that cannot be read (``bad-field``).

    """
    fields = found.fields
    is_test = _boolean(fields, DUMMY) or False
    is_enabled = _boolean(fields, "is_enabled")
    resource = ResourceKey(PROVIDER, account, found.kind, found.id, is_test)
    facts = [Fact(resource, "created")]
    denied = ["cancelled"] if is_enabled else []
    amount, details = None, _details(fields)
    if found.kind == INVOICE:
        facts += _payments(resource, fields)
        if facts[-1].action != "paid" and "date_paid" in fields:
            denied.append("paid")
        amount, before_discount = _amounts(fields)
        if before_discount is not None:
            details["amount_before_discount"] = before_discount.value
    if is_enabled is False:
        facts.append(Fact(resource, "cancelled"))
    return Reading(
        resource=resource,
        facts=tuple(facts),
        amount=amount,
        related=_related(found),
        details=details,
        denied=frozenset(denied),
    )


def _payments(resource: ResourceKey, fields: JsonObject) -> list[Fact]:
    facts = []
    failed = _field(fields, "date_failed", values.date)
    if failed is not None:
        # Another try may fail again, so the date tells them apart: in the documents' own form,
        # whichever form it came in.
        facts.append(Fact(resource, "failed", failed, discriminator=values.date_text(failed)))
    paid = _field(fields, "date_paid", values.date)
    if paid is not None:
        facts.append(Fact(resource, "paid", paid))
    return facts


def _amounts(fields: JsonObject) -> tuple[Amount | None, Amount | None]:
    """Return what the payer is to pay and, where that is less, what it was before."""
    full = _field(fields, "amount", values.amount)
    discounted = _field(fields, "amount_discounted", values.amount)
    if discounted is None:
        return full, None
    return discounted, full if full != discounted else None


def _related(found: Found) -> dict[str, str]:
    return {
        name: id
        for name, field in _RELATED[found.kind]
        if (id := usable_id(found.fields.get(field))) is not None  # noqa: A001 - the provider's word
    }


def _details(fields: JsonObject) -> JsonObject:
    return {
        name: value
        for name, value in fields.items()
        if name in _DOCUMENTED and type(value) not in _NESTED
    }


def _boolean(fields: JsonObject, name: str) -> bool | None:
    value = fields.get(name)
    if value is None or value is True or value is False:
        return value
    return _field(fields, name, values.boolean)


def _field(fields: JsonObject, name: str, read_value: Callable[[Json], _T]) -> _T | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        return read_value(value)
    except Unreadable as error:
        detail = f"{name}: {error}"
        raise Uninterpretable(Reason.BAD_FIELD, detail) from None
