"""What is routed: seeded observations as payevents writes them, and the events they must become.

Of 90 invoices, 70 are seen once, as paid, so that their creation is inferred; 20 are first seen
unpaid; and of 10 the paid webhook comes twice. So 120 observations give 180 events.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zlib import crc32

import orjson

from handlers.fact import Fact
from handlers.observation import Observation, Origin
from handlers.resource import ResourceKey
from receiver.kafka.clients import Record, partition_for

ACCOUNT = "shop"
IN_A_BLOCK = 120
"""Observations after which the mix is complete; a block's own order is drawn from the seed."""

_PAID_AT_ONCE, _SEEN_UNPAID, _REPEATED = 70, 20, 10
_RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
_WORDS = ("blue", "canoe", "garden", "lamp", "maple", "paddle", "red", "small", "tea", "wool")
_NOTE_WORDS = (24, 56)
_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True, slots=True)
class Observations:
    """Inbox records by partition, and the key of each event that follows, by the event's id."""

    records: Mapping[int, Sequence[Record]]
    events: Mapping[str, str]

    @property
    def count(self) -> int:
        """Return how many observations there are."""
        return sum(map(len, self.records.values()))


def account_name(number: int) -> str:
    """Return what the account of this number is called, from 0 on."""
    return f"{ACCOUNT}-{number}" if number else ACCOUNT


def observations(count: int, partitions: int, seed: int, accounts: int = 1) -> Observations:
    """Return at least ``count`` observations in whole blocks; other seeds have other invoices.

    These are spread over so many ``accounts``.
    """
    random = Random(seed)
    records: dict[int, list[Record]] = {partition: [] for partition in range(partitions)}
    events: dict[str, str] = {}
    for block in range(-(-count // IN_A_BLOCK)):
        received = _RECEIVED + timedelta(milliseconds=IN_A_BLOCK * block)
        for number, (invoice, is_paid) in enumerate(_block(random)):
            invoice_id = f"{invoice['invoice_id']}-{seed}-{block}"
            fields = {**invoice, "invoice_id": invoice_id, "order_id": f"o-{invoice_id}"}
            account = account_name(crc32(invoice_id.encode()) % accounts)
            resource = ResourceKey("smartpay", account, "invoice", invoice_id)
            key = resource.inbox_key.encode()
            at = received + timedelta(milliseconds=number)
            record = _record(random, resource, fields, at, is_paid=is_paid)
            records[partition_for(key, partitions)].append(record)
            for action in ("created", "paid") if is_paid else ("created",):
                events[str(Fact(resource, action).id)] = resource.partition_key
    return Observations(records, events)


def _block(random: Random) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield invoices and whether each is paid, in an order that could be: unpaid first."""
    timeline: list[tuple[float, dict[str, Any], bool]] = []
    for number in range(_PAID_AT_ONCE + _SEEN_UNPAID):
        invoice = invoice_fields(random)
        times = 1 + (number >= _PAID_AT_ONCE) + (number < _REPEATED)
        moments = sorted(random.random() for _ in range(times))
        shown_paid = [number < _PAID_AT_ONCE, True][:times]
        timeline += zip(moments, [invoice] * times, shown_paid, strict=True)
    for _, invoice, is_paid in sorted(timeline, key=lambda seen: seen[0]):
        yield invoice, is_paid


def invoice_fields(random: Random) -> dict[str, Any]:
    """Return what SmartPay shows of a paid invoice."""
    return {
        "invoice_id": _id(random),
        "order_id": "",
        "consumer_id": _id(random),
        "name": f"{random.choice(('Zoë', 'Ann', 'Bjørn', 'Li'))} {_id(random)}",
        "amount": f"{random.randint(100, 100_000) / 100:.2f}",
        "amount_discounted": None,
        "payment_method": random.choice("de"),
        "is_dummy": False,
        "is_enabled": True,
        "date_paid": f"2025-12-{random.randint(1, 28):02} 12:{random.randint(10, 59)}:00",
        "date_failed": None,
        "description": " ".join(random.choices(_WORDS, k=random.randint(*_NOTE_WORDS))),
    }


def body_of(random: Random, fields: Mapping[str, Any], *, is_paid: bool) -> bytes:
    """Return a webhook's body, its fields in any order."""
    names = list(fields)
    random.shuffle(names)
    shown = fields if is_paid else {**fields, "date_paid": None}
    return orjson.dumps({name: shown[name] for name in names})


def _record(
    random: Random, resource: ResourceKey, fields: dict[str, Any], at: datetime, *, is_paid: bool
) -> Record:
    body = body_of(random, fields, is_paid=is_paid)
    observation = Observation(
        account=resource.account,
        origin=Origin.WEBHOOK,
        topic=f"invoice/{'paid' if is_paid else 'created'}",
        received_at=at,
        body=body,
        request_id=f"{random.getrandbits(128):032x}",
        signed_with="0a1b2c3d",
    )
    return Record(resource.inbox_key.encode(), body, observation.headers())


def _id(random: Random) -> str:
    return "".join(random.choices(_ALPHABET, k=8))
