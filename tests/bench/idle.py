"""What a service costs that has nothing to do: the default settings, all roles, three accounts."""

import asyncio
import time
from collections.abc import AsyncIterator

from tests.bench.bench import Bench
from tests.bench.cores import cpu_seconds
from tests.bench.deployment import Deployment, deployment
from tests.bench.measure import Findings, Goal, Line
from tests.bench.program import payevents
from tests.support.payevents import Payevents

SETTLED_AFTER = 15.0
"""Seconds for the shards to start, and for the accounts to be looked at for the first time."""

READ_EVERY = 10.0
"""Seconds from one reading of the processor time to the next, each of which begins a round."""

READINGS = 7
READINGS_QUICK = 2
"""Readings that a round lasts: longer than the interval of a poll, unless it is a quick look."""

SHARDS = 24
"""Routers and pollers of the default of 12 partitions."""


async def measure(bench: Bench) -> Findings:
    """Measure processor time by wall time; polls at their default intervals are part of it.

    Rounds overlap: each is as long as an honest figure needs, and all of them together take little
    longer than two of them one after the other.
    """
    readings = READINGS_QUICK if bench.quick else READINGS
    async with deployment(bench, http='drain_delay = "0s"') as there:
        served = payevents(bench, there.config, name="idle")
        with served:
            await asyncio.to_thread(_settle, served, there)
            read = [each async for each in _readings(served.pid, bench.rounds + readings)]
    percent = [_percent(read[begin], read[begin + readings]) for begin in range(bench.rounds)]
    seconds = readings * READ_EVERY
    note = f"Of one core, over {seconds:.0f} s a round; one begins every {READ_EVERY:.0f} s."
    return Findings([Line("an idle service", percent, Goal(at_most=2.0), "%", note)])


def _settle(served: Payevents, there: Deployment) -> None:
    assert there.cluster.running
    for _ in range(SHARDS):
        served.await_line("the shard runs")
    time.sleep(SETTLED_AFTER)


async def _readings(pid: int, count: int) -> AsyncIterator[tuple[float, float]]:
    """Yield the time and the processor time used by then, both in seconds."""
    for number in range(count):
        if number:
            await asyncio.sleep(READ_EVERY)
        yield time.monotonic(), cpu_seconds(pid)


def _percent(begin: tuple[float, float], end: tuple[float, float]) -> float:
    return 100 * (end[1] - begin[1]) / (end[0] - begin[0])
