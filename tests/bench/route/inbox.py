"""Filling inboxes faster than anything reads them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from receiver.kafka.clients import Record

IN_A_BATCH = 100
"""Records, about what receivers under load write at a time."""


@asynccontextmanager
async def filler(servers: str) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a producer for :func:`fill`."""
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, acks="all", linger_ms=0, max_batch_size=1 << 20
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def fill(
    producer: AIOKafkaProducer, topic: str, records: Mapping[int, Sequence[Record]]
) -> None:
    """Append ``records`` to the partitions of ``topic``; return once they are durable.

    Raises:
        KafkaError: Kafka did not take one.
    """
    await asyncio.gather(
        *(_append(producer, topic, partition, each) for partition, each in records.items())
    )


async def _append(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Record]
) -> None:
    sent = []
    for first in range(0, len(records), IN_A_BATCH):
        batch = producer.create_batch()
        for record in records[first : first + IN_A_BATCH]:
            fields = {"key": record.key, "value": record.value, "headers": record.headers}
            assert batch.append(timestamp=None, **fields) is not None, "the batch is full"
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sent)
