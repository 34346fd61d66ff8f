"""A merchant at SmartPay whose webhooks are looked after: sandbox, replicas, one public URL."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from config.loading import load
from config.settings import Settings
from handlers.clock import utc_now
from handlers.smartpay.handler import SmartPayHandler
from handlers.smartpay.sandbox import SmartPaySandbox, Strictness
from handlers.smartpay.settings import SmartPaySettings
from receiver.accounts.providers import installed_providers
from receiver.care.known import Care
from receiver.care.reading import read_account
from receiver.kafka.options import clients_for
from receiver.registration.condition import Condition, State, conditions
from receiver.registration.situation import Situation
from receiver.sandbox.host import SandboxHost
from receiver.sandbox.snippet import as_toml
from tests.kafka.cluster import Cluster
from tests.kafka.reader import read_committed
from tests.kafka.test_operator import command
from tests.kafka.test_spine import made
from tests.support.configuration import service_config
from tests.support.front import Front
from tests.support.judge import Verdict, judge
from tests.support.payevents import Payevents

ACCOUNT = "merchant"
EVENTS = ("payments.invoices", "payments.orders", "payments.test")
HURRIED = (sys.executable, "-m", "tests.support.hurried")
SWIFT = {
    "poll_interval": timedelta(seconds=1),
    "webhook_check_interval": timedelta(seconds=1),
    "reconcile_interval": timedelta(seconds=1),
    "calls": 1_000,
    "backoff_min": timedelta(seconds=1),
}
"""Intervals for which a test can wait, and calls enough for them."""

LENIENT = Strictness(calls=10_000)
WITHIN = 60.0
LOOK_EVERY = 0.2


@dataclass
class Merchant:
    """The account, at its sandbox on one side and in Kafka on the other.

    ``account`` is written into the configuration of each replica that is started after.
    """

    host: SandboxHost
    front: Front
    account: SmartPaySettings
    cluster: Cluster
    prefix: str
    folder: Path
    program: Sequence[str] = HURRIED
    replicas: list[Payevents] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where SmartPay should send this account's webhooks."""
        return f"{self.front.url}/webhooks/{ACCOUNT}"

    async def serve(self) -> Payevents:
        """Start a replica and put it behind the public URL."""
        name = f"replica-{len(self.replicas)}"
        replica = Payevents(self.config().read_text(), self.folder, name)
        replica.program = self.program
        self.replicas.append(replica)
        await asyncio.to_thread(replica.start)
        await asyncio.to_thread(replica.await_line, "Kafka takes records")
        self.front.behind.append(base_of(replica))
        return replica

    def end_all(self) -> None:
        """Kill what still runs."""
        for replica in self.replicas:
            if replica.running:
                replica.kill()

    async def end(self, replica: Payevents, by: Callable[[Payevents], int]) -> None:
        """End a replica by that, after it was taken from behind the public URL."""
        self.front.behind.remove(base_of(replica))
        await asyncio.to_thread(by, replica)

    def change(self, **fields: object) -> None:
        """Change the account in the configuration of what is started from now on."""
        self.account = self.account.model_copy(update=fields)

    def config(self) -> Path:
        """Write the configuration as it is now; return its file."""
        text = service_config(
            self.cluster.bootstrap_servers,
            self.prefix,
            self.folder / "spool",
            partitions=1,
            accounts=as_toml(self.account),
        )
        file = self.folder / "merchant.toml"
        file.write_text(text.replace("[http]", f'[http]\npublic_url = "{self.front.url}"'))
        return file

    async def run(self, *arguments: str, expect: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run the command about the account to its end."""
        file = self.config()
        return await asyncio.to_thread(
            command, file, *arguments, "--account", ACCOUNT, expect=expect
        )

    async def told(self, *arguments: str, expect: int = 0) -> dict[str, Any]:
        """Return what the command says about the account, for programs."""
        done = await self.run(*arguments, "--json", expect=expect)
        return cast("dict[str, Any]", json.loads(done.stdout))

    def called(self, *words: str) -> int:
        """Return how many requests the sandbox got whose method and path have one of the words."""
        return sum(
            count
            for asked, count in self.host.requests.items()
            if any(word in asked for word in words)
        )

    async def webhooks(self) -> dict[str, dict[str, Any]]:
        """Return the webhooks that the sandbox has, by topic."""
        shown = await self.host.control("webhooks")
        return {webhook["topic"]: webhook for webhook in cast("list[dict[str, Any]]", shown)}

    async def care(self) -> Care:
        """Return what is known of the account, as it was last committed."""
        settings = self._settings()
        clients = clients_for(settings.kafka)
        records = await read_account(clients, settings.topics.watchlist, ACCOUNT)
        return records.care

    async def conditions(self) -> dict[str, Condition]:
        """Return how each topic stands, as it was last committed."""
        care = await self.care()
        registration = SmartPayHandler(self.account).registration
        now = utc_now().timestamp()
        situation = Situation(registration, care.registered, care.vitals, self.url, now)
        return {one.topic: one for one in conditions(situation)}

    async def until_proven(self) -> dict[str, Condition]:
        """Wait until each topic leads here, and that was seen; return how they stand."""
        found: dict[str, Condition] = {}

        async def proven() -> bool:
            nonlocal found
            found = await self.conditions()
            return all(one.state is State.PROVEN for one in found.values())

        await until(proven, lambda: f"not proven: {found}")
        return found

    async def published(self) -> Verdict:
        """Return what was published up to now."""
        names = [f"{self.prefix}{name}" for name in EVENTS]
        servers = self.cluster.bootstrap_servers
        return judge(await asyncio.to_thread(read_committed, servers, names))

    def _settings(self) -> Settings:
        models = {name: provider.settings for name, provider in installed_providers().items()}
        return load(self.config(), {}, models)


def base_of(replica: Payevents) -> str:
    """Return the base URL of a replica, as the public URL has it behind it."""
    return replica.webhooks.removesuffix("/webhooks")


@asynccontextmanager
async def merchant(
    cluster: Cluster,
    prefix: str,
    folder: Path,
    sandbox: SmartPaySandbox | None = None,
    **account: object,
) -> AsyncIterator[Merchant]:
    """Open the shop: its topics made, no replica yet; ``account`` changes its settings.

    Its SmartPay is a lenient one, unless another ``sandbox`` is given.
    """
    async with AsyncExitStack() as opened:
        smartpay = sandbox or SmartPaySandbox(LENIENT)
        host = await opened.enter_async_context(SandboxHost(smartpay))
        front = await opened.enter_async_context(Front())
        settings = host.sandbox.account(ACCOUNT, host.base_url)
        shop = Merchant(
            host,
            front,
            cast("SmartPaySettings", settings.model_copy(update={**SWIFT, **account})),
            cluster,
            prefix,
            folder,
        )
        await asyncio.to_thread(made, shop.config().read_text(), folder)
        opened.callback(shop.end_all)
        yield shop


async def until(
    look: Callable[[], Awaitable[bool]], what: Callable[[], str], within: float = WITHIN
) -> None:
    """Look again and again until it is so; else fail, saying ``what`` was seen last."""
    deadline = time.monotonic() + within
    while not await look():
        assert time.monotonic() < deadline, what()
        await asyncio.sleep(LOOK_EVERY)
