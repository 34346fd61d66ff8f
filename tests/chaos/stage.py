"""Setting a run up: brokers, proxies, topics and replicas, and taking them down again."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp

from tests.chaos.proxy import Link
from tests.chaos.replica import Replica
from tests.chaos.world import World, eventually
from tests.kafka.cluster import Cluster
from tests.support.configuration import service_config
from tests.support.payevents import COMMAND

NODES = 3
SERVICES = 3
PARTITIONS = 4
PREFIX = "chaos."
EVENTS = tuple(f"{PREFIX}payments.{kind}" for kind in ("invoices", "orders", "test"))
DEAD_LETTERS = f"{PREFIX}payevents.dead-letters"

_READY_WITHIN = 60.0


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[World]:
    """Return a whole world, whose logs are in ``folder``; it is gone afterwards.

    Replicas 0 and 1, and the visitor, share a spool folder; replica 2 has its own.
    """
    async with AsyncExitStack() as stack:
        cluster = Cluster(nodes=NODES, ways=SERVICES + 1)
        stack.push_async_callback(asyncio.to_thread, cluster.stop)
        await asyncio.to_thread(cluster.start)
        links = [await _links(stack, cluster, way) for way in range(SERVICES + 1)]
        await asyncio.to_thread(_create_topics, cluster, folder)
        replicas = [
            stack.enter_context(_replica(cluster, folder, number)) for number in range(SERVICES + 1)
        ]
        session = await stack.enter_async_context(aiohttp.ClientSession())
        world = World(
            cluster=cluster,
            links=links,
            replicas=replicas[:SERVICES],
            visitor=replicas[SERVICES],
            ledger=f"{PREFIX}payevents.ledger",
            partitions=PARTITIONS,
            session=session,
        )
        await asyncio.gather(*(asyncio.to_thread(each.start) for each in world.replicas))
        await eventually(world.running, "no shards", _READY_WITHIN)
        yield world


async def _links(stack: AsyncExitStack, cluster: Cluster, way: int) -> list[Link]:
    return [
        await stack.enter_async_context(Link(ports.front, ports.back))
        for ports in cluster.ways(way)
    ]


def _config(servers: str, spool: Path) -> str:
    return service_config(servers, PREFIX, spool, partitions=PARTITIONS, replication_factor=NODES)


def _create_topics(cluster: Cluster, folder: Path) -> None:
    file = folder / "topics.toml"
    file.write_text(_config(cluster.bootstrap_servers, folder))
    subprocess.run(
        [COMMAND, "topics", "create", "--config", file], check=True, stdout=subprocess.DEVNULL
    )
    cluster.await_ready(topics=[*EVENTS, DEAD_LETTERS])


@contextmanager
def _replica(cluster: Cluster, folder: Path, number: int) -> Iterator[Replica]:
    servers = ",".join(f"127.0.0.1:{ports.front}" for ports in cluster.ways(number))
    spool = folder / ("spool-own" if number == SERVICES - 1 else "spool-shared")
    name = "visitor" if number == SERVICES else f"replica-{number}"
    replica = Replica(_config(servers, spool), folder, name, spool)
    try:
        yield replica
    finally:
        # It is started later, and may have ended before.
        replica.__exit__()
