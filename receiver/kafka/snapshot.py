"""A snapshot: the last record of each key in a compacted topic, read once and from outside.

It serves people who look. A broker that was frozen may answer with an old end, so a shard never
restores from a snapshot: it has its barrier.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from receiver.kafka.clients import Clients, KafkaHeaders, partition_for
from receiver.kafka.reading import NoSuchTopic, partitions_of, started_consumer

_T = TypeVar("_T")
_PATIENCE = 15.0
_BATCH = 1_000
_OF_THE_TABLE = b"\x00"
"""What the keys begin with that a shard keeps for itself: barrier, position, counts."""


class SnapshotFailed(Exception):
    """The topic could not be read; ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """The last record of a key."""

    key: bytes
    value: bytes
    headers: KafkaHeaders

    def header(self, name: str) -> str:
        """Return a header as text, empty if it is not there or null."""
        return (dict(self.headers).get(name) or b"").decode(errors="replace")


async def read_snapshot(
    clients: Clients,
    topic: str,
    view: Callable[[Row], _T],
    *,
    partition_key: bytes | None = None,
) -> dict[bytes, _T]:
    """Return what ``view`` makes of the last record of each key that is not deleted.

    Only committed records are read, up to the end that the topic has at the call. ``view`` is
    called as records are read, so that large values need not be kept. With a ``partition_key`` only
    its partition is read.

    Raises:
        SnapshotFailed: the topic does not exist, or Kafka cannot be read.
    """
    try:
        partitions = await partitions_of(clients, [topic])
        if partition_key is not None:
            partitions = [partitions[partition_for(partition_key, len(partitions))]]
        async with started_consumer(clients) as consumer:
            return await _read(consumer, partitions, view)
    except NoSuchTopic as error:
        raise SnapshotFailed(str(error)) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise SnapshotFailed(f"{topic} cannot be read: {error!r}") from error


async def _read(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], view: Callable[[Row], _T]
) -> dict[bytes, _T]:
    # Both are asked before the first fetch: a long poll blocks its connection.
    beginnings = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    unread = {partition for partition in partitions if beginnings[partition] < ends[partition]}
    consumer.assign(list(unread))
    for partition in unread:
        consumer.seek(partition, beginnings[partition])
    found: dict[bytes, _T] = {}
    while unread:
        async with asyncio.timeout(_PATIENCE):
            fetched: Mapping[TopicPartition, Sequence[Any]] = {}
            reached: set[TopicPartition] = set()
            while not fetched and not reached:
                fetched = await consumer.getmany(timeout_ms=250, max_records=_BATCH)
                # A topic ends in a transaction's marker: positions pass it, no record shows it.
                reached = {p for p in unread if await consumer.position(p) >= ends[p]}
        unread -= reached
        for records in fetched.values():
            for record in records:
                key = record.key or b""
                if record.value is None:
                    found.pop(key, None)
                elif not key.startswith(_OF_THE_TABLE):
                    found[key] = view(Row(key, record.value, list(record.headers)))
    return found
