"""The sandbox's merchant: orders and invoices, and what showing one of them tells."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from handlers.jsontext import Json, JsonObject
from handlers.smartpay.values import date_text


class Told(NamedTuple):
    """One fact that was shown; worked out here anew, so that the handler can be measured by it."""

    kind: str
    id: str
    is_test: bool
    action: str
    discriminator: str | None = None


@dataclass(slots=True)
class Order:
    """One order of the merchant's shop."""

    id: str
    custom_id: str
    consumer_id: str
    is_dummy: bool
    created_at: datetime
    cancelled_at: datetime | None = None
    number_of_invoices: int = 0

    @property
    def is_enabled(self) -> bool:
        """Return whether it was not cancelled."""
        return self.cancelled_at is None

    def as_of(self, moment: datetime) -> "Order":
        """Return the order as it was at a time."""
        return replace(self, cancelled_at=_by(moment, self.cancelled_at))

    def fields(self) -> JsonObject:
        """Return the order as ``get_orders`` documents it."""
        return {
            "order_id": self.id,
            "custom_order_id": self.custom_id,
            "consumer_id": self.consumer_id,
            "name": f"Order {self.custom_id}",
            "is_dummy": self.is_dummy,
            "is_enabled": self.is_enabled,
            "number_of_invoices": self.number_of_invoices,
        }

    def tells(self) -> Iterator[Told]:
        """Yield the facts that the fields show."""
        yield Told("order", self.id, self.is_dummy, "created")
        if not self.is_enabled:
            yield Told("order", self.id, self.is_dummy, "cancelled")


@dataclass(slots=True)
class Invoice:
    """One invoice of an order; amounts are in Canadian dollars."""

    id: str
    order: Order
    amount: Decimal
    amount_discounted: Decimal | None
    payment_method: str
    created_at: datetime
    cancelled_at: datetime | None = None
    date_paid: datetime | None = None
    date_failed: datetime | None = None

    @property
    def is_enabled(self) -> bool:
        """Return whether it was not cancelled."""
        return self.cancelled_at is None

    def as_of(self, moment: datetime) -> "Invoice":
        """Return the invoice as it was at a time."""
        return replace(
            self,
            cancelled_at=_by(moment, self.cancelled_at),
            date_paid=_by(moment, self.date_paid),
            date_failed=_by(moment, self.date_failed),
        )

    def fields(self) -> JsonObject:
        """Return the invoice as ``get_invoices`` documents it."""
        discounted = self.amount_discounted
        return {
            "invoice_id": self.id,
            "order_id": self.order.id,
            "consumer_id": self.order.consumer_id,
            "name": f"Invoice {self.id}",
            "amount": f"{self.amount:.2f}",
            "amount_discounted": None if discounted is None else f"{discounted:.2f}",
            "payment_method": self.payment_method,
            "is_dummy": self.order.is_dummy,
            "is_enabled": self.is_enabled,
            "date_paid": None if self.date_paid is None else date_text(self.date_paid),
            "date_failed": None if self.date_failed is None else date_text(self.date_failed),
        }

    def tells(self) -> Iterator[Told]:
        """Yield the facts that the fields show."""
        is_test = self.order.is_dummy
        yield Told("invoice", self.id, is_test, "created")
        if self.date_failed is not None:
            yield Told("invoice", self.id, is_test, "failed", date_text(self.date_failed))
        if self.date_paid is not None:
            yield Told("invoice", self.id, is_test, "paid")
        if not self.is_enabled:
            yield Told("invoice", self.id, is_test, "cancelled")


@dataclass(slots=True)
class Shop:
    """All orders and invoices, in the order of their creation, by id."""

    orders: dict[str, Order] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    tests: int = 0

    def add_order(self, now: datetime, *, custom_id: str = "", is_dummy: bool = False) -> Order:
        """Create an order; without ``custom_id`` it gets one."""
        number = len(self.orders) + 1
        order = Order(
            id=f"order-{number}",
            custom_id=custom_id or f"shop-{number}",
            consumer_id=f"consumer-{number}",
            is_dummy=is_dummy,
            created_at=now,
        )
        self.orders[order.id] = order
        return order

    def add_invoice(
        self,
        order: Order,
        now: datetime,
        *,
        amount: Decimal = Decimal(10),
        amount_discounted: Decimal | None = None,
        payment_method: str = "d",
    ) -> Invoice:
        """Create an invoice of ``order``."""
        invoice = Invoice(
            id=f"invoice-{len(self.invoices) + 1}",
            order=order,
            amount=amount,
            amount_discounted=amount_discounted,
            payment_method=payment_method,
            created_at=now,
        )
        order.number_of_invoices += 1
        self.invoices[invoice.id] = invoice
        return invoice

    def test_subject(self, topic: str, now: datetime) -> Invoice | Order:
        """Return what a test notification of ``topic`` is about: a dummy that no listing has."""
        self.tests += 1
        id = f"test-{self.tests}"  # noqa: A001 - the provider's word
        kind, _, action = topic.partition("/")
        cancelled_at = now if action == "cancelled" else None
        order = Order(id, id, id, is_dummy=True, created_at=now, cancelled_at=cancelled_at)
        if kind == "order":
            return order
        date_paid = now if action == "paid" else None
        return Invoice(id, order, Decimal(10), None, "d", now, cancelled_at, date_paid)


def _by(moment: datetime, at: datetime | None) -> datetime | None:
    return at if at is not None and at <= moment else None


def as_texts(fields: JsonObject) -> JsonObject:
    """Return ``fields`` as version 1-2 and the webhooks write them: everything but null is text."""
    return {name: _as_text(value) for name, value in fields.items()}


def _as_text(value: Json) -> Json:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if value is None else str(value)
