"""Following topics: every committed record, from their beginning or from now, as it comes."""

from collections.abc import AsyncGenerator, Collection

from aiokafka import ConsumerRecord

from receiver.kafka.clients import Clients
from receiver.kafka.reading import partitions_of, started_consumer


async def follow(
    clients: Clients, topics: Collection[str], *, from_beginning: bool
) -> AsyncGenerator[ConsumerRecord, None]:
    """Yield the committed records of ``topics`` for as long as somebody asks for the next.

    Raises:
        NoSuchTopic: one does not exist.
        KafkaError: the cluster cannot be reached.
        TimeoutError: it does not answer.
    """
    partitions = await partitions_of(clients, topics)
    async with started_consumer(clients) as consumer:
        ask = consumer.beginning_offsets if from_beginning else consumer.end_offsets
        offsets = await ask(partitions)
        consumer.assign(partitions)
        for partition, offset in offsets.items():
            consumer.seek(partition, offset)
        async for record in consumer:
            yield record
