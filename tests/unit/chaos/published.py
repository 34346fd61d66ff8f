"""Event records as a reader gets them, without any Kafka."""

import json
from typing import Any

from tests.chaos.story import Fact
from tests.kafka.reader import Record

PAID_AT = "2018-01-01T12:00:00Z"
FAILED_AT = "2018-01-01T11:00:00Z"


def fact(invoice: str, action: str, discriminator: str = "") -> Fact:
    """Return a fact about an invoice of the account ``shop``."""
    return Fact(f"smartpay/shop/invoice/{invoice}", action, discriminator)


def record(published: Fact, sequence: int, *, offset: int = 0, **changes: Any) -> Record:
    """Return the record of a fact of 10.00, as it must be unless ``changes`` say otherwise.

    ``id``, ``late``, ``occurred_at`` and ``minor_units`` (None for no amount) change the event;
    ``partition``, ``topic`` and ``key`` its place.
    """
    times = {"paid": PAID_AT, "failed": FAILED_AT}
    minor_units = changes.get("minor_units", 1000)
    document = {
        "id": changes.get("id", published.id),
        "partitionkey": published.key,
        "data": {
            "resource": {"kind": published.key.split("/")[2]},
            "action": published.action,
            "sequence": sequence,
            "late": changes.get("late", False),
            "occurred_at": changes.get("occurred_at", times.get(published.action)),
            "amount": None if minor_units is None else {"minor_units": minor_units},
        },
    }
    return Record(
        topic=changes.get("topic", "payments.invoices"),
        partition=changes.get("partition", 0),
        offset=offset,
        key=changes.get("key", published.key).encode(),
        value=json.dumps(document).encode(),
        headers=(),
        timestamp_ms=0,
    )
