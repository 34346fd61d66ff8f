"""A bare consume-transact-produce loop on aiokafka: the limits are measured with it.

What is written for the records of a partition is a function of theirs alone; the position goes to a
topic of its own in the same transaction, as payevents keeps it.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from receiver.kafka.clients import KafkaHeaders, Record
from receiver.shards.session import Writable
from tests.bench.bare import transactional_producer

Outputs: TypeAlias = Mapping[str, Sequence[Writable]]
"""Records to write by topic, each to the partition of the records it comes of."""


class Consumed(Protocol):
    """A record as a consumer hands it out."""

    @property
    def offset(self) -> int:
        """Return where in its partition it stands."""

    @property
    def key(self) -> bytes:
        """Return the key."""

    @property
    def value(self) -> bytes:
        """Return the value."""

    @property
    def headers(self) -> KafkaHeaders:
        """Return the headers."""


MOST_RECORDS = 2_000
"""Records in one transaction, as in the router. With 8,000 the copying loop is no quicker."""

Work: TypeAlias = Callable[[int, Sequence[Consumed]], Outputs]
"""What records become, all of the partition with this number."""


async def loop(partitions: int, servers: str, source: str, positions: str, work: Work) -> None:
    """Do ``work`` on all that ``source`` has and gets, until killed."""
    producer = transactional_producer(servers, f"{source}-loop")
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="none",
        fetch_max_wait_ms=250,
        retry_backoff_ms=20,
    )
    await producer.start()
    await consumer.start()
    inputs = [TopicPartition(source, partition) for partition in range(partitions)]
    consumer.assign(inputs)
    for each in inputs:
        consumer.seek(each, 0)
    reached = dict.fromkeys(range(partitions), 0)
    sys.stdout.write(json.dumps({"partitions": partitions}) + "\n")
    while True:
        fetched = await consumer.getmany(timeout_ms=1000, max_records=MOST_RECORDS)
        if not fetched:
            continue
        await producer.begin_transaction()
        sent = []
        for at, records in fetched.items():
            for topic, outputs in work(at.partition, records).items():
                sent += await _send(producer, topic, at.partition, outputs)
            reached[at.partition] = records[-1].offset + 1
        position = Record(b"position", json.dumps(reached).encode())
        sent += await _send(producer, positions, 0, [position])
        await asyncio.gather(*sent)
        await producer.commit_transaction()


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Iterable[Writable]
) -> list["asyncio.Future[object]"]:
    sent = []
    batch = producer.create_batch()
    for record in records:
        key, value, headers = record.key, record.value, list(record.headers)
        if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None, headers=headers)
    sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent
