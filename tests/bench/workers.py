"""What a second worker costs: two processes on the core that one has otherwise for itself.

How much two do on two cores cannot be measured here, where the other core is the broker's and the
load's. What can is whether sharing a port, or the supervisor, takes anything away from a 200.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from tests.bench.bench import Bench
from tests.bench.cores import cpu_seconds
from tests.bench.measure import Findings, Goal, Line, interleaved, ratios
from tests.bench.program import payevents
from tests.bench.receive.contenders import Site, new_site
from tests.bench.receive.generator import Generator
from tests.bench.receive.load import Shape
from tests.bench.receive.traffic import Target, traffic
from tests.support.payevents import Payevents

SECONDS = 4.0
QUICK_SECONDS = 1.0
_WARM_UP = 3.0

_ONE, _TWO = "one process", "two workers"


async def measure(bench: Bench) -> Findings:
    """Load one process and two workers in turn, each as fast as they answer."""
    site = await new_site(bench)
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    async with AsyncExitStack() as stack:
        generator = stack.enter_context(Generator())
        one = await stack.enter_async_context(_served(site, generator, seconds))
        two = await stack.enter_async_context(_served(site, generator, seconds, workers=2))
        found = await interleaved(bench, {_ONE: one.load, _TWO: two.load})
    return Findings(
        [
            Line(
                "durable 200s a CPU-second, two workers ÷ one process",
                ratios(found[_TWO], found[_ONE]),
                Goal(at_least=0.85),
                note="Both workers share one core; the supervisor's time counts too.",
            ),
            *(Line(name, values, unit="200s/CPU-s") for name, values in found.items()),
        ]
    )


@dataclass(frozen=True, slots=True)
class _Served:
    """A receiver that serves, in one process or several: ``pids`` are all of them."""

    site: Site
    generator: Generator
    target: Target
    pids: list[int]
    seconds: float

    async def load(self) -> float:
        """Return the durable 200s for each second of processor time of all processes."""
        return await self.load_for(self.seconds)

    async def load_for(self, seconds: float) -> float:
        """Return the same of a load of so many seconds."""
        inbox = self.site.inbox
        since = await asyncio.to_thread(inbox.ends)
        before = self._used()
        outcome = await self.generator.load(self.target, Shape(seconds, warm=0.0))
        used = self._used() - before
        assert not outcome.refused, outcome.statuses
        await asyncio.to_thread(inbox.prove, since, traffic(), outcome.acknowledged)
        return sum(outcome.acknowledged) / used

    def _used(self) -> float:
        return sum(map(cpu_seconds, self.pids))


@asynccontextmanager
async def _served(
    site: Site, generator: Generator, seconds: float, workers: int = 1
) -> AsyncIterator[_Served]:
    options = ("--roles", "receive", "--workers", str(workers))
    running = payevents(site.bench, site.config, *options, name=f"workers-{workers}")
    try:
        await asyncio.to_thread(running.start)
        for _ in range(workers):
            await asyncio.to_thread(running.await_line, "Kafka takes records")
        running.ignore_lines()
        pids = [running.pid, *(await _workers_of(running) if workers > 1 else [])]
        target = Target(running.ports["public"])
        served = _Served(site, generator, target, pids, seconds)
        await served.load_for(_WARM_UP)
        yield served
    finally:
        if running.running:
            await asyncio.to_thread(running.terminate)


async def _workers_of(running: Payevents) -> list[int]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{running.admin}/v1/status") as answer,
    ):
        return [worker["pid"] for worker in (await answer.json())["workers"]]
