"""A table: one partition of a compacted topic, held in memory by the shard that owns it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from receiver.kafka.clients import Record
from receiver.shards.witness import Witness

_BARRIER = b"\x00barrier"
_POSITION = b"\x00position"
_NO_ENTRIES = frozenset({None, _BARRIER, _POSITION})
_BATCH = 500
"""Records between two turns of the loop: a millisecond or two, since webhooks wait for theirs. More
at a time are read more slowly, too: the garbage collector walks through all that are held."""
_PATIENCE = 30.0


class BrokenTable(Exception):
    """The table cannot be trusted; going on could publish twice or not at all. Says what to do."""


class InputPosition(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the input has been handled: the offset of the next record, and the partition counts.

    The counts are part of the state: with other counts a resource's entry would be looked for in
    another partition. ``moving_to`` is the number of partitions that entries are being moved to, as
    long as they are: no shard works meanwhile. ``witness`` is the last record handled.
    """

    offset: int
    input_partitions: int
    table_partitions: int
    moving_to: int | None = None
    witness: Witness | None = None

    def record(self) -> Record:
        """Return the record that carries the position in the table's topic."""
        return Record(_POSITION, msgspec.json.encode(self))


@dataclass(slots=True)
class Table:
    """What the topic's partition says: the last value of each key, and the input position."""

    entries: dict[bytes, bytes] = field(default_factory=dict)
    position: InputPosition | None = None

    def apply(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the topic into account."""
        if key == _POSITION:
            self.position = (
                None if value is None else msgspec.json.decode(value, type=InputPosition)
            )
        elif key == _BARRIER:
            return
        elif value is None:
            self.entries.pop(key, None)
        else:
            self.entries[key] = value

    def merge(self, changes: Mapping[bytes, bytes | None], position: InputPosition) -> None:
        """Take into account what was just committed."""
        for key, value in changes.items():
            self.apply(key, value)
        self.position = position


def is_position(key: bytes | None) -> bool:
    """Tell whether a record of the topic is an input position."""
    return key == _POSITION


def barrier(token: bytes) -> Record:
    """Return the record that marks the end of what any earlier owner can have written."""
    return Record(_BARRIER, token)


async def restore(
    consumer: AIOKafkaConsumer,
    partition: TopicPartition,
    token: bytes,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Table:
    """Read the table up to the barrier with ``token``; ``consumer`` stands at its beginning.

    An end offset is never asked for: a broker that was frozen answers with an old one.

    Raises:
        KafkaError: Kafka cannot be read.
        TimeoutError: nothing new came for half a minute, and the barrier not either.
        BrokenTable: a record is none of ours.
    """
    table = Table()
    read = 0
    while True:
        async with asyncio.timeout(_PATIENCE):
            records: list[ConsumerRecord] = []
            while not records:
                fetched = await consumer.getmany(partition, timeout_ms=250, max_records=_BATCH)
                records = fetched.get(partition, [])
        if _apply_until(table, records, token, partition):
            return table
        read += len(records)
        progress(read)
        # What was fetched already is given without waiting: whoever else has work would wait.
        await asyncio.sleep(0)


def _apply_until(
    table: Table, records: Iterable[ConsumerRecord], token: bytes, partition: TopicPartition
) -> bool:
    """Take records into account up to the barrier with ``token``; tell whether it is there."""
    entries = table.entries
    for record in records:
        key, value = record.key, record.value
        # One in millions is anything else, and a call for each would double what a record takes.
        if value is not None and key not in _NO_ENTRIES:
            entries[key] = value
        elif key is None:
            raise BrokenTable(f"a record in {partition} has no key: it was not written by us")
        elif key == _BARRIER and value == token:
            return True
        else:
            table.apply(key, value)
    return False
