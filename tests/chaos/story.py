"""What was published, as the checker sees it: events in partition order, and resources' stories.

Nothing here is taken from the program that is judged: ids and the natural order are worked out
anew from the published contract.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import quote
from uuid import UUID, uuid5

from tests.kafka.reader import Record

NAMESPACE = UUID("c0b1d7e6-3f52-5d0b-9a55-0d3a5b8f6e21")
RANKS = {
    "invoice": {"created": 0, "failed": 1, "paid": 1, "refunded": 2, "cancelled": 3},
    "order": {"created": 0, "cancelled": 1},
}

OrderKey: TypeAlias = tuple[int, datetime, bytes]
_UNDATED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One fact of one resource, as a consumer knows it.

    ``key`` is the resource's partition key (``smartpay/shop/invoice/i1``). ``discriminator`` tells
    apart what can truly recur: the ``date_failed`` of a failure, in the form
    ``2018-01-01 12:00:00``.
    """

    key: str
    action: str
    discriminator: str = ""

    @property
    def id(self) -> str:
        """Return the id that the event must bear."""
        name = f"{self.key}/{self.action}"
        if self.discriminator:
            name = f"{name}/{quote(self.discriminator, safe='')}"
        return str(uuid5(NAMESPACE, name))

    def __str__(self) -> str:
        """Return the fact for people to read."""
        return " ".join(part for part in (self.key, self.action, self.discriminator) if part)


@dataclass(frozen=True, slots=True)
class Event:
    """What the checker needs of one published event, and where it was read.

    ``minor_units`` is its amount, None where it states none. ``order_key`` is its place in the
    natural order: rank, the provider's time (none first), id. ``record_key`` is the Kafka record's
    own key, which must be the event's.
    """

    id: str
    key: str
    action: str
    sequence: int
    late: bool
    minor_units: int | None
    order_key: OrderKey
    place: tuple[str, int]
    offset: int
    record_key: bytes | None

    def __str__(self) -> str:
        """Return the event and where it lies, for people to read."""
        flag = " late" if self.late else ""
        topic, partition = self.place
        return (
            f"{self.key} {self.action} #{self.sequence}{flag} id {self.id}"
            f" at {topic}[{partition}]@{self.offset}"
        )


def event_in(record: Record) -> Event:
    """Return the event in a record; raises ValueError or KeyError if it holds none."""
    document = json.loads(record.value or b"")
    data = document["data"]
    rank = RANKS[data["resource"]["kind"]][data["action"]]
    at = data["occurred_at"]
    occurred_at = _UNDATED if at is None else datetime.fromisoformat(at)
    return Event(
        id=document["id"],
        key=document["partitionkey"],
        action=data["action"],
        sequence=data["sequence"],
        late=data["late"],
        minor_units=data["amount"] and data["amount"]["minor_units"],
        order_key=(rank, occurred_at, UUID(document["id"]).bytes),
        place=(record.topic, record.partition),
        offset=record.offset,
        record_key=record.key,
    )


def stories(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Return each resource's events, in the order given."""
    by_key: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_key[event.key].append(event)
    return by_key
