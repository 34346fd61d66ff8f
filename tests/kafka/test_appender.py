"""The appender on Apache Kafka: what it does not acknowledge fails as such, whoever waits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from receiver.kafka.appender import Appender, NotDurable, RecordRefused
from tests.kafka import shards
from tests.kafka.cluster import Cluster
from tests.kafka.test_operator import eventually
from tests.kafka.test_spine import read

LARGE = bytes(300 * 1024)
"""Four of these do not fit into one batch, so that the next ones wait for room."""


@contextlib.asynccontextmanager
async def appending(cluster: Cluster, topic: str) -> AsyncIterator[Appender]:
    """Yield an appender that has reached the cluster."""
    appender = Appender(shards.clients(cluster), [topic])
    running = asyncio.create_task(appender.run())
    try:

        async def available() -> bool:
            return appender.available

        await eventually(available, "the appender never reached the cluster")
        yield appender
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_whoever_waits_for_room_is_told_when_kafka_stops(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """Appends beyond a full batch fail as not durable, never as cancelled: nobody cancelled them.

    Were it a cancellation, the drain of a spool or a poller would end by it, and in silence.
    """
    topic = f"{topic_prefix}inbox"
    await asyncio.to_thread(kafka_cluster.create_topic, topic, partitions=1)
    async with appending(kafka_cluster, topic) as appender:
        await appender.append(topic, b"k", b"before")
        kafka_cluster.pause(0)
        async with asyncio.timeout(20):
            early = [asyncio.create_task(appender.append(topic, b"k", LARGE)) for _ in range(8)]
            await asyncio.sleep(1.0)
            late = [asyncio.create_task(appender.append(topic, b"k", LARGE)) for _ in range(8)]
            outcomes = await asyncio.gather(*early, *late, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {NotDurable}


async def test_one_record_too_large_for_its_topic_stops_no_other(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """It fails as not durable, and the others are appended as before: Kafka is not away."""
    topic = f"{topic_prefix}inbox"
    limit = {"max.message.bytes": str(len(LARGE) // 2)}
    await asyncio.to_thread(kafka_cluster.create_topic, topic, config=limit)
    async with appending(kafka_cluster, topic) as appender:
        with pytest.raises(NotDurable, match="as large"):
            await appender.append(topic, b"k", LARGE)
        assert appender.available
        await appender.append(topic, b"k", b"small")


async def test_each_record_is_told_where_it_is(kafka_cluster: Cluster, topic_prefix: str) -> None:
    """Partition and offset are those at which a consumer finds the record, in batches too."""
    topic = f"{topic_prefix}inbox"
    await asyncio.to_thread(kafka_cluster.create_topic, topic, partitions=3)
    values = [b"%d" % number for number in range(300)]
    async with appending(kafka_cluster, topic) as appender:
        places = await asyncio.gather(
            *(appender.append(topic, b"key-" + value, value) for value in values)
        )
    told = dict(zip(places, values, strict=True))
    records = await read(kafka_cluster, topic_prefix, "inbox", len(values))
    assert {(r.partition, r.offset): r.value for r in records} == told


async def test_a_record_too_large_takes_no_neighbour_with_it(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """Appended at once, all but the one are durable, each once, and Kafka is not away."""
    topic = f"{topic_prefix}inbox"
    limit = {"max.message.bytes": str(len(LARGE) // 2)}
    await asyncio.to_thread(kafka_cluster.create_topic, topic, config=limit)
    values = [b"%d" % number for number in range(20)]
    async with appending(kafka_cluster, topic) as appender:
        outcomes = await asyncio.gather(
            *(appender.append(topic, b"k", value) for value in [*values[:9], LARGE, *values[9:]]),
            return_exceptions=True,
        )
        assert isinstance(outcomes.pop(9), RecordRefused)
        assert appender.available
    told = dict(zip(outcomes, values, strict=True))
    records = await read(kafka_cluster, topic_prefix, "inbox", len(values))
    assert {(r.partition, r.offset): r.value for r in records} == told
