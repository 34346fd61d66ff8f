"""How far shards have come in their input: read near the end of their tables, without the rest."""

from collections.abc import Collection

from aiokafka import AIOKafkaConsumer, TopicPartition

from receiver.kafka.clients import Clients
from receiver.kafka.reading import started_consumer
from receiver.kafka.scan import scan
from receiver.shards.table import InputPosition, Table

_TAIL = 5_000
"""Offsets. Each transaction but a barrier's ends with the position, and is smaller than this."""


async def latest_positions(
    consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]
) -> dict[int, InputPosition]:
    """Return the position that stands near the end of each of these partitions of one table.

    A partition whose shard has never committed is not among them. Where the consumer stands
    afterwards is undefined.

    Raises:
        KafkaError: Kafka cannot be read.
        TimeoutError: it does not answer.
        msgspec.MsgspecError: a record is no position.
    """
    tables = {partition.partition: Table() for partition in partitions}
    async for record in scan(consumer, partitions, last=_TAIL):
        tables[record.partition].apply(record.key or b"", record.value)
    return {
        partition: table.position
        for partition, table in tables.items()
        if table.position is not None
    }


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
