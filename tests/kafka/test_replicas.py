"""Many replicas: any may be rolled or cut off; nothing is lost, repeated or held up for long."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.chaos.proxy import Link
from tests.kafka.cluster import Cluster
from tests.kafka.fleet import PARTITIONS, fleet
from tests.kafka.test_operator import eventually
from tests.support.payevents import Payevents

log = logging.getLogger(__name__)

HELD_UP = 20.0
"""Seconds from a 200 to the reader, at most: two or three on a machine that has time."""


@pytest.fixture(scope="module")
def kafka_three() -> Iterator[Cluster]:
    """Return three nodes, with a way to each that a test can cut."""
    with Cluster(nodes=3, ways=1) as cluster:
        yield cluster


def routed_by(replica: Payevents) -> set[int]:
    """Return the partitions that a replica has begun to route, ever."""
    lines = [json.loads(line) for line in replica.log().splitlines()]
    begun = [line for line in lines if line["message"] == "the shard runs"]
    return {line["partition"] for line in begun if line["role"] == "route"}


@pytest.mark.timeout(300)
async def test_a_rolling_restart_under_load(
    kafka_three: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """Each of three replicas is ended and started again in turn: exactly once, within seconds."""
    reached_by = [kafka_three.bootstrap_servers] * 3
    async with fleet(kafka_three, topic_prefix, tmp_path, reached_by) as rolled:
        load = rolled.begin()
        for replica in rolled.replicas:
            await rolled.until_acknowledged(60)
            assert await asyncio.to_thread(replica.terminate) == 0
            await rolled.until_acknowledged(60)
            await asyncio.to_thread(replica.start)
            await asyncio.to_thread(replica.await_line, "Kafka takes records")
        await rolled.until_acknowledged(60)
        longest = await rolled.finish(load)
    log.info("the longest from a 200 to the reader: %.1f s", longest)
    assert longest < HELD_UP


async def test_a_replica_cut_off_from_kafka(
    kafka_three: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """It takes webhooks into its spool, loses its partitions to another, and drains once back."""
    ways = kafka_three.ways(0)
    async with AsyncExitStack() as opened:
        links = [await opened.enter_async_context(Link(way.front, way.back)) for way in ways]
        reached_by = [
            ",".join(f"127.0.0.1:{way.front}" for way in ways),
            kafka_three.bootstrap_servers,
        ]
        divided = await opened.enter_async_context(
            fleet(kafka_three, topic_prefix, tmp_path, reached_by)
        )
        cut_off, heir = divided.replicas

        async def owns_everything() -> bool:
            return routed_by(heir) == set(range(PARTITIONS))

        load = divided.begin()
        await divided.until_acknowledged(60)
        refused = divided.ledger.refused
        for link in links:
            link.cut()
        await asyncio.to_thread(cut_off.await_line, "webhooks go to the spool")
        # The session timeout is 6 seconds; the rest of what this allows is for busy machines.
        await eventually(owns_everything, "the other replica never took over")
        await divided.until_acknowledged(60)
        assert divided.ledger.refused == refused
        for link in links:
            link.mend()
        await divided.until_acknowledged(60)
        await divided.finish(load)
