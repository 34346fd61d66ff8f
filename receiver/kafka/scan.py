"""Scanning: every committed record that partitions hold now, from their beginning to their end.

It serves people who look. A broker that was frozen may answer with an old end, so a shard never
goes by it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

_PATIENCE = 15.0
_BATCH = 1_000


async def scan(
    consumer: AIOKafkaConsumer,
    partitions: Collection[TopicPartition],
    *,
    since: datetime | None = None,
    last: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> AsyncGenerator[ConsumerRecord, None]:
    """Yield the committed records of ``partitions``, each partition's in order.

    It ends at the end that the partitions have at the call. ``since`` leaves out what was written
    before, ``last`` all but so many offsets at the end of each. ``progress`` is told how many
    offsets were passed, and of how many.

    Raises:
        KafkaError: Kafka cannot be read.
        TimeoutError: nothing came for too long.
    """
    # All are asked before the first fetch: a long poll blocks its connection.
    ends = await consumer.end_offsets(list(partitions))
    starts = await _starts(consumer, ends, since)
    if last is not None:
        starts = {partition: max(at, ends[partition] - last) for partition, at in starts.items()}
    unread = {partition for partition in partitions if starts[partition] < ends[partition]}
    length = sum(ends[partition] - starts[partition] for partition in unread)
    left = {partition: ends[partition] - starts[partition] for partition in unread}
    consumer.assign(list(unread))
    for partition in unread:
        consumer.seek(partition, starts[partition])
    while unread:
        fetched, positions = await _fetch(consumer, unread, ends)
        left |= {partition: max(0, ends[partition] - at) for partition, at in positions.items()}
        unread -= {partition for partition in positions if not left[partition]}
        for records in fetched.values():
            for record in records:
                yield record
        progress(length - sum(left.values()), length)


async def _starts(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], since: datetime | None
) -> dict[TopicPartition, int]:
    starts: dict[TopicPartition, int] = await consumer.beginning_offsets(list(ends))
    if since is None:
        return starts
    milliseconds = round(since.timestamp() * 1000)
    found = await consumer.offsets_for_times(dict.fromkeys(ends, milliseconds))
    return {
        partition: ends[partition] if at is None else max(starts[partition], at.offset)
        for partition, at in found.items()
    }


async def _fetch(
    consumer: AIOKafkaConsumer,
    unread: Collection[TopicPartition],
    ends: Mapping[TopicPartition, int],
) -> tuple[Mapping[TopicPartition, Sequence[ConsumerRecord]], dict[TopicPartition, int]]:
    """Return what was fetched and the positions, once there is a record or an end was reached."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            fetched = await consumer.getmany(timeout_ms=250, max_records=_BATCH)
            # A topic ends in a transaction's marker: positions pass it, no record shows it.
            positions = {partition: await consumer.position(partition) for partition in unread}
            if fetched or any(at >= ends[partition] for partition, at in positions.items()):
                return fetched, positions
