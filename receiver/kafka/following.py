"""Following topics: every committed record, from their beginning or from now, as it comes."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from receiver.kafka.clients import Clients, partition_for
from receiver.kafka.reading import partitions_of, started_consumer


@asynccontextmanager
async def following(
    clients: Clients,
    topics: Collection[str],
    *,
    from_beginning: bool,
    partition_key: bytes | None = None,
) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a consumer to iterate over: it stands at the place to begin, and never ends.

    With a ``partition_key`` only its partition of the one topic is followed.

    Raises:
        NoSuchTopic: a topic does not exist.
        KafkaError: the cluster cannot be reached.
        TimeoutError: it does not answer.
    """
    partitions = await partitions_of(clients, topics)
    if partition_key is not None:
        partitions = [partitions[partition_for(partition_key, len(partitions))]]
    async with started_consumer(clients) as consumer:
        ask = consumer.beginning_offsets if from_beginning else consumer.end_offsets
        offsets = await ask(partitions)
        consumer.assign(partitions)
        for partition, offset in offsets.items():
            consumer.seek(partition, offset)
        yield consumer


async def follow(
    clients: Clients, topics: Collection[str], *, from_beginning: bool
) -> AsyncGenerator[ConsumerRecord, None]:
    """Yield the committed records of ``topics`` for as long as somebody asks for the next.

    Raises:
        Exception: as :func:`following`.
    """
    async with following(clients, topics, from_beginning=from_beginning) as consumer:
        async for record in consumer:
            yield record
