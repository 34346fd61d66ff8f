"""Bare transactions, one after another: ``COUNT APART SERVERS TOPIC``, one record each.

There are ``APART`` seconds between them, and each begins as soon as Kafka lets it. The record holds
the monotonic time at which its transaction was to begin.
"""

import asyncio
import json
import sys
import time

import uvloop

from receiver.shards.beginning import begin_promptly
from tests.bench.bare import transactional_producer


async def transact(count: int, apart: float, servers: str, topic: str) -> None:
    """Commit ``count`` transactions, with the settings of payevents' own."""
    producer = transactional_producer(servers, f"{topic}-transacting")
    begin_promptly(producer)
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
