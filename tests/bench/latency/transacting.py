"""Bare transactions, one after another: ``COUNT APART SERVERS TOPIC``, one record each.

There are ``APART`` seconds between them. The record holds the monotonic time at which its
transaction began.
"""

import asyncio
import json
import sys
import time

import uvloop
from aiokafka import AIOKafkaProducer


async def transact(count: int, apart: float, servers: str, topic: str) -> None:
    """Commit ``count`` transactions, with the settings of payevents' own."""
    producer = AIOKafkaProducer(
        bootstrap_servers=servers,
        transactional_id=f"{topic}-transacting",
        acks="all",
        linger_ms=0,
        max_batch_size=1 << 20,
        retry_backoff_ms=20,
    )
    await producer.start()
    sys.stdout.write(json.dumps({"count": count}) + "\n")
    for _ in range(count):
        value = repr(time.monotonic()).encode()
        await producer.begin_transaction()
        batch = producer.create_batch()
        batch.append(key=None, value=value, timestamp=None)
        await asyncio.gather(await producer.send_batch(batch, topic, partition=0))
        await producer.commit_transaction()
        await asyncio.sleep(apart)
    # What ends it is the end of the measurement.
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(transact(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:]))
