"""What a person, a demo or a test can cause at the sandbox: what happens in the shop."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from handlers.jsontext import Json, compact
from handlers.sandbox import Control
from handlers.smartpay.sandbox.api import Merchant
from handlers.smartpay.sandbox.shop import Invoice, Order
from handlers.smartpay.sandbox.webhooks import body_of

Arguments = Mapping[str, str]

_YES = {"1", "true", "yes"}
_INVOICE = {"invoice": "its id; else the latest"}
_ORDER = {"order": "its id; else the latest"}
_DUMMY = {"dummy": "yes for test data"}
_CREATE_INVOICE = {
    "amount": "Canadian dollars; else 10.00",
    "discounted": "what it costs after the discount; else there is none",
    "order": "the id of its order; else a new one",
    "method": "d (debit) or e (eTransfer); else d",
}

_T = TypeVar("_T")


class MerchantControls:
    """The controls of one sandbox. Each raises ValueError for what it cannot do."""

    def __init__(self, merchant: Merchant) -> None:
        self._shop = merchant.shop
        self._webhooks = merchant.webhooks

    def by_name(self) -> dict[str, Control]:
        """Return the controls, each under the name that a person types."""
        failed = {**_INVOICE, "announce": "yes to send invoice/created anew, which shows it"}
        return {
            "create-order": Control(
                "Create an order.",
                self._create_order,
                {"custom_id": "the shop's own id of it; else one is made up", **_DUMMY},
            ),
            "create-invoice": Control(
                "Create an invoice.", self._create_invoice, {**_CREATE_INVOICE, **_DUMMY}
            ),
            "pay": Control("Pay an invoice.", self._pay, _INVOICE),
            "fail": Control("Let a payment fail; no topic tells of it.", self._fail, failed),
            "cancel-invoice": Control("Cancel an invoice.", self._cancel_invoice, _INVOICE),
            "cancel-order": Control("Cancel an order.", self._cancel_order, _ORDER),
            "duplicate": Control("Deliver the last notification again.", self._duplicate),
            "forge": Control("Send invoice/paid, signed by a stranger.", self._forge, _INVOICE),
            "silent-body": Control(
                "Pay an invoice, but send a body with nothing but the order's custom id.",
                self._silent_body,
                _INVOICE,
            ),
            "unreadable": Control("Send a signed body without any id.", self._unreadable),
        }

    def _create_order(self, arguments: Arguments, now: datetime) -> Json:
        return self._new_order(arguments, now).fields()

    def _create_invoice(self, arguments: Arguments, now: datetime) -> Json:
        amount = _money(arguments, "amount") or Decimal(10)
        discounted = _money(arguments, "discounted")
        method = arguments.get("method") or "d"
        if method not in {"d", "e"}:
            raise ValueError("method must be d or e")
        order_id = arguments.get("order")
        order = (
            _one(self._shop.orders, "order", order_id)
            if order_id
            else self._new_order(arguments, now)
        )
        invoice = self._shop.add_invoice(
            order, now, amount=amount, amount_discounted=discounted, payment_method=method
        )
        self._webhooks.announce("invoice/created", invoice, now)
        return invoice.fields()

    def _pay(self, arguments: Arguments, now: datetime) -> Json:
        invoice = self._invoice(arguments)
        invoice.date_paid = now
        self._webhooks.announce("invoice/paid", invoice, now)
        return invoice.fields()

    def _fail(self, arguments: Arguments, now: datetime) -> Json:
        invoice = self._invoice(arguments)
        invoice.date_failed = now
        if _is_yes(arguments, "announce"):
            self._webhooks.announce("invoice/created", invoice, now)
        return invoice.fields()

    def _cancel_invoice(self, arguments: Arguments, now: datetime) -> Json:
        return self._cancel("invoice/cancelled", self._invoice(arguments), now)

    def _cancel_order(self, arguments: Arguments, now: datetime) -> Json:
        order = _one(self._shop.orders, "order", arguments.get("order"))
        return self._cancel("order/cancelled", order, now)

    def _duplicate(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        return {"notification": self._webhooks.deliveries.repeat_last(now)}

    def _forge(self, arguments: Arguments, now: datetime) -> Json:
        body = body_of(self._invoice(arguments))
        return {"notification": self._webhooks.forge("invoice/paid", body, now)}

    def _silent_body(self, arguments: Arguments, now: datetime) -> Json:
        invoice = self._invoice(arguments)
        invoice.date_paid = invoice.date_paid or now
        fields: Json = {
            "order_custom_id": invoice.order.custom_id,
            "payment_method": invoice.payment_method,
        }
        self._webhooks.send("invoice/paid", compact({"data": fields}), None, now)
        return invoice.fields()

    def _unreadable(self, arguments: Arguments, now: datetime) -> Json:  # noqa: ARG002
        body = compact({"data": {"message": "an invoice, but which?"}})
        return {"notification": self._webhooks.send("invoice/created", body, None, now)}

    def _new_order(self, arguments: Arguments, now: datetime) -> Order:
        order = self._shop.add_order(
            now, custom_id=arguments.get("custom_id", ""), is_dummy=_is_yes(arguments, "dummy")
        )
        self._webhooks.announce("order/created", order, now)
        return order

    def _cancel(self, topic: str, subject: Invoice | Order, now: datetime) -> Json:
        subject.cancelled_at = now
        self._webhooks.announce(topic, subject, now)
        return subject.fields()

    def _invoice(self, arguments: Arguments) -> Invoice:
        return _one(self._shop.invoices, "invoice", arguments.get("invoice"))


def _one(known: Mapping[str, _T], kind: str, wanted: str | None) -> _T:
    found = known.get(wanted) if wanted else next(reversed(list(known.values())), None)
    if found is None:
        msg = f"there is no {kind} {wanted}" if wanted else f"there is no {kind} yet"
        raise ValueError(msg)
    return found


def _money(arguments: Arguments, name: str) -> Decimal | None:
    text = arguments.get(name)
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0 or amount != amount.quantize(Decimal("0.01")):
        msg = f"{name} is not an amount such as 10.00"
        raise ValueError(msg)
    return amount


def _is_yes(arguments: Arguments, name: str) -> bool:
    return arguments.get(name, "").lower() in _YES
