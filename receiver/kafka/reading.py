"""Reading whole topics from outside: for people and tools, not for shards."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from receiver.kafka.clients import Clients
from receiver.kafka.discard import discard_consumer

_START_WITHIN = 20.0


class NoSuchTopic(Exception):
    """A topic does not exist; ``str()`` says what to do."""


@asynccontextmanager
async def started_consumer(clients: Clients) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a started consumer of committed records that belongs to no group.

    Raises:
        KafkaError: the cluster cannot be reached.
        TimeoutError: it does not answer.
    """
    consumer = clients.partition_consumer()
    try:
        async with asyncio.timeout(_START_WITHIN):
            await consumer.start()
        yield consumer
    finally:
        await discard_consumer(consumer)


async def partitions_of(clients: Clients, topics: Collection[str]) -> list[TopicPartition]:
    """Return all partitions of ``topics``.

    Raises:
        NoSuchTopic: one does not exist.
        KafkaError: the cluster cannot be reached.
        TimeoutError: it does not answer.
    """
    admin = clients.admin()
    async with asyncio.timeout(_START_WITHIN):
        await admin.start()
        try:
            described = {topic["topic"]: topic for topic in await admin.describe_topics()}
        finally:
            await admin.close()
    missing = sorted(set(topics) - described.keys())
    if missing:
        are_not = "there is no topic" if len(missing) == 1 else "there are no topics"
        raise NoSuchTopic(f"{are_not} {', '.join(missing)}: run 'payevents topics create'")
    return [
        TopicPartition(topic, partition["partition"])
        for topic in topics
        for partition in sorted(described[topic]["partitions"], key=lambda p: p["partition"])
    ]
