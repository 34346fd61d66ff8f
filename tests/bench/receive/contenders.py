"""What is measured: payevents, the limit, and what people would write instead.

Each serves on the program core, appends to the same topic and stays up while the others are
measured; it does nothing then.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from tests.bench.bench import ROOT, Bench
from tests.bench.program import Program, payevents
from tests.bench.receive.proof import Inbox
from tests.bench.receive.traffic import Target
from tests.kafka.test_spine import made
from tests.support.configuration import SIGNING_KEY, service_config

PAYEVENTS: Final = "payevents"
BARE: Final = "bare aiohttp"
SIGNED: Final = "bare aiohttp, signature and key"
FASTAPI: Final = "FastAPI"
GO: Final = "Go"

_PARTITIONS: Final = 12
_FASTAPI_MODULE: Final = "tests.bench.peers.fastapi"
_GO_SOURCE: Final = Path(__file__).parents[1] / "peers" / "go"
_GO_BUILT: Final = ROOT / ".cache" / "bench" / "go-peer"
_NO_GO = """\
the Go peer needs Go 1.21 or newer, which fetches the version it wants by itself:
    apt-get install -y golang-go
on Debian 13, Ubuntu 24.04 and newer; elsewhere https://go.dev/dl has it"""


@dataclass(frozen=True, slots=True)
class Served:
    """Where a contender serves.

    ``pid`` is its process, if it can be known. ``durable`` tells that it appends to the inbox: each
    of its 200s has to be proven.
    """

    target: Target
    pid: int | None
    durable: bool = True


@dataclass(frozen=True, slots=True)
class Site:
    """Where the contenders are at work: they append to the same topic."""

    bench: Bench
    inbox: Inbox
    config: str

    @property
    def environment(self) -> dict[str, str]:
        """Return what the peers find in their environment."""
        return {
            **self.bench.environment,
            "KAFKA_SERVERS": self.inbox.servers,
            "KAFKA_TOPIC": self.inbox.topic,
            "SIGNING_KEY": SIGNING_KEY,
        }


async def new_site(bench: Bench) -> Site:
    """Make the topics."""
    cluster, prefix = await bench.cluster(), bench.prefix()
    config = service_config(
        cluster.bootstrap_servers,
        prefix,
        bench.folder / f"spool-{prefix}",
        partitions=_PARTITIONS,
        accounts="manage_webhooks = false",
    )
    await asyncio.to_thread(made, config, bench.folder)
    inbox = Inbox(cluster.bootstrap_servers, f"{prefix}payevents.inbox", _PARTITIONS)
    return Site(bench, inbox, config)


@asynccontextmanager
async def _payevents(site: Site) -> AsyncIterator[Served]:
    program = payevents(site.bench, site.config, "--roles", "receive")
    try:
        await asyncio.to_thread(program.start)
        await asyncio.to_thread(program.await_line, "Kafka takes records")
        program.ignore_lines()
        yield Served(Target(program.ports["public"]), program.pid)
    finally:
        if program.running:
            await asyncio.to_thread(program.kill)


@asynccontextmanager
async def _bare(site: Site, *options: str) -> AsyncIterator[Served]:
    async with Program.module(site.bench, "tests.bench.receive.bare", *options) as program:
        yield Served(Target(program.told["port"]), program.pid, durable=False)


@asynccontextmanager
async def _peer(site: Site, *command: str | Path) -> AsyncIterator[Served]:
    async with Program(command, environment=site.environment) as program:
        yield Served(Target(program.told["port"]), program.pid)


@asynccontextmanager
async def _go(site: Site) -> AsyncIterator[Served]:
    if shutil.which("go") is None:
        raise SystemExit(_NO_GO)
    site.bench.say("building the Go peer")
    build = await asyncio.create_subprocess_exec(
        *("go", "build", "-mod=readonly", "-buildvcs=false", "-o", _GO_BUILT, "."),
        cwd=_GO_SOURCE,
        # Debian's Go does not fetch newer ones unless told to.
        env={**os.environ, "GOTOOLCHAIN": "auto"},
    )
    if await build.wait() != 0:
        raise SystemExit("the Go peer could not be built")
    async with _peer(site, _GO_BUILT) as served:
        yield served


Contender: TypeAlias = Callable[[Site], AbstractAsyncContextManager[Served]]

CONTENDERS: Final[dict[str, Contender]] = {
    PAYEVENTS: _payevents,
    BARE: _bare,
    SIGNED: lambda site: _bare(site, "--signed"),
    FASTAPI: lambda site: _peer(site, sys.executable, "-P", "-m", _FASTAPI_MODULE),
    GO: _go,
}
"""By name; each starts when its context is entered."""
