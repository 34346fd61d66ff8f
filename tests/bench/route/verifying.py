"""Whether what came out is exactly what must: a figure counts only then."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from receiver.kafka.clients import Record


class WrongOutput(AssertionError):
    """Something is missing, or there twice, or never should have been there."""


@dataclass(frozen=True, slots=True)
class Read:
    """A record as a reader got it, and the monotonic time when it did."""

    partition: int
    key: bytes
    value: bytes
    at: float = 0.0


def check_events(read: Sequence[Read], events: Mapping[str, str]) -> None:
    """Hold events against the keys of those that are expected, by their ids.

    Raises:
        WrongOutput: they are not the same, each once, or one stands under another key.
    """
    documents = [(record.key.decode(), json.loads(record.value)) for record in read]
    seen = Counter(document["id"] for _, document in documents)
    _refuse("missing", sorted(events.keys() - seen.keys()))
    _refuse("unknown", sorted(seen.keys() - events.keys()))
    _refuse("repeated", [each for each, times in seen.items() if times > 1])
    misplaced = [
        document["id"]
        for key, document in documents
        if not key == document["partitionkey"] == events[document["id"]]
    ]
    _refuse("under another key", misplaced)


def check_copy(read: Sequence[Read], records: Mapping[int, Sequence[Record]]) -> None:
    """Hold copies against the records they were made of: the same bytes in the same order.

    Raises:
        WrongOutput: they differ.
    """
    copies: dict[int, list[tuple[bytes, bytes | None]]] = {each: [] for each in records}
    for record in read:
        copies.setdefault(record.partition, []).append((record.key, record.value))
    for partition, copied in copies.items():
        originals = [(each.key, each.value) for each in records.get(partition, ())]
        if copied != originals:
            wrong = f"{len(copied)} copies of {len(originals)} records"
            raise WrongOutput(f"partition {partition} has {wrong}, and they are not the same")


def _refuse(what: str, found: Sequence[str]) -> None:
    if found:
        raise WrongOutput(f"{len(found)} events are {what}, the first of them {found[0]}")
