"""The program: read a table's topic once, in one of two ways, and tell what that took.

``restored`` is what a router does at its start, with all of its shards at once; ``counted`` is the
least that can be done with aiokafka.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from receiver.kafka.clients import Clients
from receiver.kafka.discard import discard_consumer
from receiver.shards.open_shard import own_table
from receiver.shards.session import Session

_TICK = 0.001

Reading: TypeAlias = Callable[[], Awaitable[int]]
"""Reads everything; returns how many records or entries there were."""


@asynccontextmanager
async def restored(
    clients: Clients, partitions: Sequence[TopicPartition]
) -> AsyncIterator[Reading]:
    """Yield what restores all partitions at once, each as its owner."""
    async with AsyncExitStack() as stack:
        shards = []
        for partition in partitions:
            session = Session(clients, f"{partition.topic}-{partition.partition}")
            stack.push_async_callback(session.discard)
            consumer = clients.partition_consumer()
            stack.push_async_callback(discard_consumer, consumer)
            await asyncio.gather(session.start(), consumer.start())
            shards.append((session, consumer, partition))

        async def restore() -> int:
            tables = await asyncio.gather(*(own_table(*shard) for shard in shards))
            return sum(len(table.entries) for table in tables)

        yield restore


@asynccontextmanager
async def counted(clients: Clients, partitions: Sequence[TopicPartition]) -> AsyncIterator[Reading]:
    """Yield what counts the records of all partitions with one consumer."""
    consumer = AIOKafkaConsumer(
        **clients.options, isolation_level="read_committed", enable_auto_commit=False
    )
    await consumer.start()

    async def count() -> int:
        ends = await consumer.end_offsets(list(partitions))
        consumer.assign(list(partitions))
        for partition in partitions:
            consumer.seek(partition, 0)
        read = 0
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=250)).values():
                read += len(records)
        return read

    try:
        yield count
    finally:
        await consumer.stop()


WAYS = {"restored": restored, "counted": counted}


async def _read(servers: str, topic: str, partitions: int, way: str) -> Mapping[str, float]:
    clients = Clients({"bootstrap_servers": servers})
    wanted = [TopicPartition(topic, each) for each in range(partitions)]
    pauses = Pauses()
    async with WAYS[way](clients, wanted) as read:
        watching = asyncio.create_task(pauses.watch())
        used, began = time.process_time(), time.perf_counter()
        count = await read()
        seconds, cpu = time.perf_counter() - began, time.process_time() - used
        watching.cancel()
    return {"records": count, "seconds": seconds, "cpu": cpu, "pause": pauses.longest}


class Pauses:
    """For how many seconds at most nobody else had a turn, as far as that is our own doing."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        """Watch until cancelled."""
        while True:
            used = time.process_time()
            await asyncio.sleep(_TICK)
            self.longest = max(self.longest, time.process_time() - used)


if __name__ == "__main__":
    servers, topic, partitions, way = sys.argv[1:]
    sys.stdout.write(json.dumps(uvloop.run(_read(servers, topic, int(partitions), way))) + "\n")
