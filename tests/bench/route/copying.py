"""The limit: a bare consume-transact-produce loop on aiokafka that copies bytes.

``PARTITIONS SERVERS SOURCE TARGET POSITIONS``. One record out for each that came in, and the
position in a topic record of the same transaction, as payevents keeps it.
"""

import asyncio
import json
import sys

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from tests.bench.bare import transactional_producer


async def copy(partitions: int, servers: str, source: str, target: str, positions: str) -> None:
    """Copy ``source`` until killed."""
    producer = transactional_producer(servers, f"{source}-copying")
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
        fetched = await consumer.getmany(timeout_ms=1000)
        if not fetched:
            continue
        await producer.begin_transaction()
        sent = []
        for at, records in fetched.items():
            sent += await _send(producer, target, at.partition, records)
            reached[at.partition] = records[-1].offset + 1
        position = producer.create_batch()
        position.append(key=b"position", value=json.dumps(reached).encode(), timestamp=None)
        sent.append(await producer.send_batch(position, positions, partition=0))
        await asyncio.gather(*sent)
        await producer.commit_transaction()


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, records: list[ConsumerRecord]
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


if __name__ == "__main__":
    uvloop.run(copy(int(sys.argv[1]), *sys.argv[2:]))
