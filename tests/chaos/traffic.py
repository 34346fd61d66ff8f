"""What is sent: the lives of invoices and orders, shuffled, repeated, and out of order.

It is pure and seeded. It also says what each notification asserts, worked out from the provider's
documents and not by the program that is judged.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.chaos.story import Fact
from tests.support.webhooks import Webhook, invoice

LIVES_AT_ONCE = 200
"""How many resources are under way at a time."""

REMEMBERED = 2000
"""How far back, in notifications, a replay may reach."""

DUPLICATED = 0.08
REPLAYED = 0.05
TEST_DATA = 0.03
ORDERS = 0.15


@dataclass(frozen=True, slots=True)
class Notification:
    """One webhook, and the facts that it asserts with the amount of each in minor units."""

    webhook: Webhook
    facts: Mapping[Fact, int | None]


def traffic(seed: int) -> Iterator[Notification]:
    """Yield notifications for ever, the same ones for the same ``seed``.

    Each resource's come in their natural order or not; one in twelve is sent twice in a row, and
    one in twenty is followed by an old one sent again.
    """
    rng = Random(seed)
    number = 0
    lives: list[list[Notification]] = []
    past: list[Notification] = []
    while True:
        while len(lives) < LIVES_AT_ONCE:
            lives.append(_life(rng, number))
            number += 1
        life = rng.choice(lives)
        notification = life.pop(0)
        if not life:
            lives.remove(life)
        yield notification
        if rng.random() < DUPLICATED:
            yield notification
        if past and rng.random() < REPLAYED:
            yield rng.choice(past)
        past.append(notification)
        if len(past) > REMEMBERED:
            past.pop(0)


def _life(rng: Random, number: int) -> list[Notification]:
    if rng.random() < ORDERS:
        life = [_order(f"o{number}", enabled=enabled) for enabled in (True, False)]
        life = life[: rng.choice((1, 2))]
    else:
        life = _invoice_life(rng, f"i{number}")
    if rng.random() < 0.25:
        rng.shuffle(life)
    return life


def _invoice_life(rng: Random, invoice_id: str) -> list[Notification]:
    """Return what an invoice goes through: perhaps failures, a payment, a cancellation."""
    amount = rng.randrange(1, 1_000_000)
    fields: dict[str, Any] = {
        "amount": f"{amount // 100}.{amount % 100:02}",
        "is_dummy": rng.random() < TEST_DATA,
    }
    if rng.random() < 0.2:
        amount = rng.randrange(amount + 1)
        fields["amount_discounted"] = f"{amount // 100}.{amount % 100:02}"
    life = [_invoice(invoice_id, amount, fields)]
    for attempt in range(rng.choice((0, 0, 0, 0, 0, 0, 1, 2))):
        # A failure is shown by the fields of a notification about something else.
        failed = {**fields, "date_failed": f"2018-01-01 1{attempt}:00:00"}
        life.append(_invoice(invoice_id, amount, failed))
    if rng.random() < 0.8:
        fields = {**fields, "date_paid": f"2018-01-02 12:{rng.randrange(60):02}:00"}
        life.append(_invoice(invoice_id, amount, fields))
    if rng.random() < 0.15:
        life.append(_invoice(invoice_id, amount, {**fields, "is_enabled": False}))
    return life


def _invoice(invoice_id: str, amount: int, fields: Mapping[str, Any]) -> Notification:
    whose = "smartpay/shop/test" if fields["is_dummy"] else "smartpay/shop"
    key = f"{whose}/invoice/{invoice_id}"
    facts = [Fact(key, "created")]
    topic = "invoice/created"
    if "date_failed" in fields:
        facts.append(Fact(key, "failed", fields["date_failed"]))
    if "date_paid" in fields:
        facts.append(Fact(key, "paid"))
        topic = "invoice/paid"
    if not fields.get("is_enabled", True):
        facts.append(Fact(key, "cancelled"))
        topic = "invoice/cancelled"
    return Notification(invoice(invoice_id, topic, **fields), dict.fromkeys(facts, amount))


def _order(order_id: str, *, enabled: bool) -> Notification:
    key = f"smartpay/shop/order/{order_id}"
    facts = [Fact(key, "created")]
    if not enabled:
        facts.append(Fact(key, "cancelled"))
    body = {"order_id": order_id, "is_dummy": False, "is_enabled": enabled}
    topic = f"order/{facts[-1].action}"
    return Notification(Webhook(topic, json.dumps(body).encode()), dict.fromkeys(facts))
