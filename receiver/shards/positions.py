"""How far shards have come in their input: read near the end of their tables, without the rest."""

from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition

from receiver.kafka.clients import Clients
from receiver.kafka.reading import started_consumer
from receiver.kafka.scan import scan
from receiver.shards.table import InputPosition, Table, is_position

_TAIL = 5_000
"""Offsets. Each transaction but a barrier's ends with the position, however large it is: what may
follow the latest one are barriers, markers and what was never committed."""


async def latest_positions(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[int, InputPosition]:
    """Return the position that each of these partitions of one table holds.

    It stands near the end; only where it does not is the whole partition read. A partition whose
    shard has never committed is not among them. Where the consumer stands afterwards is undefined.

    Raises:
        KafkaError: Kafka cannot be read.
        TimeoutError: it does not answer.
        msgspec.MsgspecError: a record is no position.
    """
    found = await _positions(consumer, partitions, last=_TAIL)
    # The barriers of a shard that starts and refuses, again and again, can push it out of there,
    # and so can one large transaction that was aborted.
    buried = [partition for partition in partitions if partition.partition not in found]
    return found | (await _positions(consumer, buried) if buried else {})


async def input_positions(
    clients: Clients, table_topic: str, partitions: Collection[int]
) -> dict[int, int]:
    """Return, by partition, the offset of the input record that is handled next.

    Raises:
        Exception: as :func:`latest_positions`.
    """
    if not partitions:
        return {}
    wanted = [TopicPartition(table_topic, partition) for partition in partitions]
    async with started_consumer(clients) as consumer:
        found = await latest_positions(consumer, wanted)
    return {partition: position.offset for partition, position in found.items()}


async def _positions(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition], last: int | None = None
) -> dict[int, InputPosition]:
    found: dict[int, Table] = {}
    async for record in scan(consumer, partitions, last=last):
        if is_position(record.key):
            found.setdefault(record.partition, Table()).apply(record.key, record.value)
    return {at: table.position for at, table in found.items() if table.position is not None}
