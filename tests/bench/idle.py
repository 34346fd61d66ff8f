"""What a service costs that has nothing to do: the default settings, all roles, three accounts."""

import asyncio
import time
from functools import partial

from tests.bench.bench import Bench
from tests.bench.cores import cpu_seconds
from tests.bench.deployment import Deployment, deployment
from tests.bench.measure import Findings, Goal, Line, interleaved
from tests.bench.program import payevents
from tests.support.payevents import Payevents

SETTLED_AFTER = 15.0
"""Seconds for the shards to start, and for the accounts to be looked at for the first time."""

WATCHED_FOR = 70.0
WATCHED_FOR_QUICK = 20.0
"""Seconds: longer than the interval of a poll, unless it is only a quick look."""

SHARDS = 24
"""Routers and pollers of the default of 12 partitions."""


async def measure(bench: Bench) -> Findings:
    """Measure processor time by wall time; polls at their default intervals are part of it."""
    seconds = WATCHED_FOR_QUICK if bench.quick else WATCHED_FOR
    async with deployment(bench, http='drain_delay = "0s"') as there:
        served = payevents(bench, there.config, name="idle")
        with served:
            await asyncio.to_thread(_settle, served, there)
            found = await interleaved(bench, {"idle": partial(_share, served.pid, seconds)})
    percent = [100 * share for share in found["idle"]]
    note = f"Of one core, over {seconds:.0f} s a round."
    return Findings([Line("an idle service", percent, Goal(at_most=2.0), "%", note)])


def _settle(served: Payevents, there: Deployment) -> None:
    assert there.cluster.running
    for _ in range(SHARDS):
        served.await_line("the shard runs")
    time.sleep(SETTLED_AFTER)


async def _share(pid: int, seconds: float) -> float:
    began, used = time.monotonic(), cpu_seconds(pid)
    await asyncio.sleep(seconds)
    return (cpu_seconds(pid) - used) / (time.monotonic() - began)
