"""Replicas under a steady load, and a reader that looks at what they publish all the while."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.checker import check_events
from tests.chaos.generator import Generator
from tests.chaos.latency import measure
from tests.chaos.ledger import Ledger
from tests.chaos.traffic import traffic
from tests.chaos.watcher import Watcher
from tests.kafka.cluster import Cluster
from tests.kafka.test_operator import eventually
from tests.kafka.test_spine import made
from tests.support.configuration import service_config
from tests.support.payevents import Payevents

PARTITIONS = 6
RATE = 40.0
"""Webhooks a second."""

SEED = 20
EVENTS = ("payments.invoices", "payments.orders", "payments.test")


@dataclass
class Fleet:
    """Replicas under load: what was sent, and what a reader sees of it all the while."""

    replicas: list[Payevents]
    ledger: Ledger
    generator: Generator
    watcher: Watcher

    def begin(self) -> "asyncio.Task[None]":
        """Begin to send."""
        return asyncio.create_task(self.generator.run())

    async def until_acknowledged(self, more: int) -> None:
        """Wait until so many more webhooks got their 200."""
        wanted = self.ledger.acknowledged + more

        async def enough() -> bool:
            self.watcher.check()
            return self.ledger.acknowledged >= wanted

        await eventually(enough, "the traffic stands still")

    async def finish(self, load: "asyncio.Task[None]") -> float:
        """End the load, check everything; return the longest time from a 200 to a reader."""
        load.cancel()
        assert await self.generator.finish(60.0), "a webhook never got its 200"
        sent = self.ledger.sent()

        async def all_read() -> bool:
            self.watcher.check()
            return not self.watcher.missing([fact.id for fact in sent.acknowledged])

        await eventually(all_read, "events never came")
        findings = check_events(self.watcher.events, sent)
        assert findings.clean, str(findings)
        longest = measure(self.ledger.acknowledged_at, self.watcher.read_at).longest
        assert longest is not None
        return longest.seconds


@asynccontextmanager
async def fleet(
    cluster: Cluster, prefix: str, folder: Path, reached_by: Sequence[str]
) -> AsyncIterator[Fleet]:
    """Start as many replicas as there are servers by which one is to reach the cluster."""

    def config(servers: str) -> str:
        return service_config(
            servers, prefix, folder / "spool", partitions=PARTITIONS, replication_factor=3
        )

    servers = cluster.bootstrap_servers
    await asyncio.to_thread(made, config(servers), folder)
    async with AsyncExitStack() as opened:
        replicas: list[Payevents] = []
        for number, address in enumerate(reached_by):
            replica = Payevents(config(address), folder, f"replica-{number}")
            opened.callback(replica.__exit__)
            await asyncio.to_thread(replica.start)
            await asyncio.to_thread(replica.await_line, "Kafka takes records")
            replicas.append(replica)
        ledger = opened.enter_context(Ledger(folder / "ledger", time.time))
        watcher = opened.enter_context(Watcher(servers, [f"{prefix}{topic}" for topic in EVENTS]))
        generator = Generator(
            lambda: [replica.webhooks for replica in replicas], traffic(SEED), ledger, RATE
        )
        await opened.enter_async_context(generator)
        yield Fleet(replicas, ledger, generator, watcher)
