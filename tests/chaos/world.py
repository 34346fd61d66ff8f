"""What the faults act on: the cluster, the network, and the replicas of the service."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import aiohttp

from tests.chaos.proxy import Link
from tests.chaos.replica import Replica
from tests.kafka.cluster import Cluster

TRY_EVERY = 0.1


class TookTooLong(AssertionError):
    """What was waited for did not come in time."""


@dataclass(frozen=True, slots=True)
class World:
    """Three brokers, some replicas, and a link from each replica to each broker.

    ``links`` are by replica, then by node. ``visitor`` is a replica more, that comes and goes.
    ``ledger`` is the name of the ledger's topic, which has ``partitions`` partitions.
    """

    cluster: Cluster
    links: Sequence[Sequence[Link]]
    replicas: Sequence[Replica]
    visitor: Replica
    ledger: str
    partitions: int
    session: aiohttp.ClientSession

    def webhooks(self) -> list[str]:
        """Return the URL of each replica, as it is or last was."""
        return [replica.webhooks for replica in self.replicas]

    async def owner(self, partition: int) -> int | None:
        """Return the number of the replica whose router runs a partition, None if nobody's does."""
        for number, replica in enumerate(self.replicas):
            running = await replica.gauges(self.session, "payevents_shard_running")
            if running.get(str(partition)):
                return number
        return None

    async def owns(self, service: int) -> bool:
        """Tell whether the router of a replica runs any partition."""
        replica = self.replicas[service]
        return any((await replica.gauges(self.session, "payevents_shard_running")).values())

    async def routed(self) -> bool:
        """Tell whether every partition is run, and no input waits in any."""
        lags: dict[str, float] = {}
        for replica in self.replicas:
            lags.update(await replica.gauges(self.session, "payevents_shard_lag_records"))
        return len(lags) == self.partitions and not any(lags.values())

    async def running(self) -> bool:
        """Tell whether some replica runs each partition."""
        owned: set[str] = set()
        for replica in self.replicas:
            gauges = await replica.gauges(self.session, "payevents_shard_running")
            owned |= {partition for partition, running in gauges.items() if running}
        return len(owned) == self.partitions

    async def drained(self) -> bool:
        """Tell whether nothing waits in any spool, nor in one that a dead process left."""
        for replica in self.replicas:
            waiting = await replica.gauges(self.session, "payevents_spool_observations")
            if waiting.get("") != 0.0:
                return False
        files = {file for replica in self.replicas for file in replica.spool_files()}
        # Each living process has one; a drained one that a dead process left is deleted.
        return len(files) <= len(self.replicas)

    async def heal(self) -> None:
        """Mend, thaw, restart and set right whatever is not whole."""
        for link in (link for links in self.links for link in links):
            link.mend()
        for replica in self.replicas:
            replica.set_clock(0.0)
            if replica.running:
                replica.free_disk()
                replica.resume()
        await asyncio.to_thread(self.cluster.heal)
        for replica in self.replicas:
            if not replica.running:
                await asyncio.to_thread(replica.start)


async def eventually(look: Callable[[], Awaitable[bool]], what: str, within: float) -> None:
    """Look again and again until it is so; raise TookTooLong after ``within`` seconds."""
    now = asyncio.get_running_loop().time
    deadline = now() + within
    while not await look():
        if now() > deadline:
            message = f"{what}: not within {within:.0f} s"
            raise TookTooLong(message)
        await asyncio.sleep(TRY_EVERY)
