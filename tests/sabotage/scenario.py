"""What a scenario is made of: replicas of one build, webhooks, and the checker's word."""

import asyncio
import json
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.chaos.checker import Findings, Sent, check
from tests.chaos.story import Fact
from tests.kafka.cluster import Cluster
from tests.kafka.reader import read_committed
from tests.kafka.test_operator import eventually
from tests.kafka.test_spine import made
from tests.sabotage.builds import GATE
from tests.support.configuration import service_config
from tests.support.payevents import Payevents
from tests.support.webhooks import Sender, Webhook, invoice

SOUND = "sound"
"""The name of the build without a fault."""

POSITION = b"\x00position"
WITHIN = 60.0
"""Seconds for what must happen sooner or later."""


class Scenario:
    """Replicas of one build on a cluster, and all that was acknowledged by them.

    Topics have one partition, so that one shard of each role does everything. Replicas are killed
    when the scenario ends.
    """

    def __init__(self, build: str, cluster: Cluster, prefix: str, folder: Path) -> None:
        self.cluster = cluster
        self.prefix = prefix
        self._build = build
        self._folder = folder
        self._nodes = len(cluster.running)
        self._started = ExitStack()
        self._acknowledged: dict[Fact, int | None] = {}
        self._latest: frozenset[bytes] = frozenset()

    async def __aenter__(self) -> Self:
        """Make the topics."""
        await asyncio.to_thread(made, self._config(), self._folder)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all replicas."""
        await asyncio.to_thread(self._started.close)

    async def start(self, name: str, roles: str) -> Payevents:
        """Start a replica with the roles, and the fault."""
        replica = Payevents(self._config(), self._folder, name, "--roles", roles)
        if self._build != SOUND:
            replica.program = (sys.executable, "-m", "tests.sabotage", self._build)
        return await self._start(replica, roles)

    async def start_gated(self, name: str, servers: str) -> tuple[Payevents, Path]:
        """Start a router that waits at its gate; return it, and the file that opens the gate.

        It reaches the cluster by ``servers``.
        """
        gate = self._folder / "gate"
        replica = Payevents(self._config(servers), self._folder, name, "--roles", "route")
        build = "gated" if self._build == SOUND else f"gated+{self._build}"
        replica.program = (sys.executable, "-m", "tests.sabotage", build)
        replica.environment = {GATE: str(gate)}
        return await self._start(replica, "route"), gate

    async def _start(self, replica: Payevents, roles: str) -> Payevents:
        self._started.callback(replica.__exit__)
        await asyncio.to_thread(replica.start)
        if "receive" in roles and self.cluster.running:
            # Else the first webhooks would go to the spool.
            await asyncio.to_thread(replica.await_line, "Kafka takes records")
        return replica

    async def send(self, receiver: Payevents, webhooks: Iterable[Webhook]) -> None:
        """Send invoices' notifications until each has got its 200."""
        webhooks = list(webhooks)
        self._latest = frozenset(webhook.body for webhook in webhooks)
        await Sender([f"{receiver.webhooks}/shop"], concurrency=4).send(webhooks)
        for webhook in webhooks:
            body = json.loads(webhook.body)
            key = f"smartpay/shop/invoice/{body['invoice_id']}"
            amount = round(float(body["amount"]) * 100)
            self._acknowledged[Fact(key, "created")] = amount
            if body["date_paid"] is not None:
                self._acknowledged[Fact(key, "paid")] = amount

    async def until_routed(self) -> None:
        """Wait until the router has committed what was sent last, and all that came before it."""
        servers = self.cluster.bootstrap_servers
        inbox = await asyncio.to_thread(
            read_committed,
            servers,
            [f"{self.prefix}payevents.inbox"],
            until=lambda records: self._latest <= {record.value for record in records},
            timeout=WITHIN,
        )
        await asyncio.to_thread(
            read_committed,
            servers,
            [f"{self.prefix}payevents.ledger"],
            until=lambda records: any(
                json.loads(record.value or b"")["offset"] > inbox[-1].offset
                for record in records
                if record.key == POSITION
            ),
            timeout=WITHIN,
        )

    async def until_drained(self) -> None:
        """Wait until no replica's spool is left but that of the one that runs."""

        async def one_is_left() -> bool:
            spools = await asyncio.to_thread(lambda: list((self._folder / "spool").glob("*.spool")))
            return len(spools) == 1

        await eventually(one_is_left, "the spool was never drained")

    async def findings(self) -> Findings:
        """Return what the checker says of all that was published."""
        topics = [f"{self.prefix}payments.invoices"]
        servers = self.cluster.bootstrap_servers
        records = await asyncio.to_thread(read_committed, servers, topics)
        return check(records, Sent(self._acknowledged))

    def _config(self, servers: str = "") -> str:
        return service_config(
            servers or self.cluster.bootstrap_servers,
            self.prefix,
            self._folder / "spool",
            partitions=1,
            replication_factor=self._nodes,
        )


def invoices(first: int, count: int) -> list[Webhook]:
    """Return the creations of so many invoices."""
    return [invoice(f"i{number}") for number in range(first, first + count)]
