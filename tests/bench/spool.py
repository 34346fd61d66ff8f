"""Kafka away: durable 200s from the disk alone, and how fast they are in Kafka when it is back."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median

from tests.bench.bench import Bench
from tests.bench.cores import cpu_seconds
from tests.bench.measure import Findings, Goal, Line, interleaved, ratios
from tests.bench.program import payevents
from tests.bench.receive.contenders import new_site
from tests.bench.receive.generator import Generator
from tests.bench.receive.load import Outcome, Shape
from tests.bench.receive.proof import Inbox
from tests.bench.receive.traffic import Target, traffic
from tests.bench.route.contender import Contender
from tests.bench.route.inbox import filler
from tests.bench.route.observations import observations
from tests.bench.route.starting import PARTITIONS, ROUTER, payevents_router
from tests.kafka.cluster import Cluster
from tests.support.payevents import Payevents

SECONDS = 4.0
QUICK_SECONDS = 1.0
OBSERVATIONS = 60_000

UNTIL_TRIPPED = 4.0
"""Seconds of load before anything is measured: the breaker waits for two, the spool then starts."""

_KAFKA, _SPOOL, _ROUTED = "with Kafka", "Kafka away", "routed"
_UNIT = "200s/CPU-s"


async def measure(bench: Bench) -> Findings:
    """Load one receiver with the broker there and frozen; let it drain; route beside it."""
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(_receiver(bench, seconds))
        router = await stack.enter_async_context(_router(bench))
        found = await interleaved(
            bench,
            {_KAFKA: receiver.with_kafka, _SPOOL: receiver.without_kafka, _ROUTED: router.next},
        )
    drained = receiver.drained
    return Findings(
        [
            Line(
                "durable 200s a CPU-second, Kafka away ÷ there",
                ratios(found[_SPOOL], found[_KAFKA]),
                Goal(at_least=0.7),
                note="Kafka is frozen by SIGSTOP; each was read with read_committed once drained.",
            ),
            Line(
                "drained ÷ routed, records a CPU-second",
                ratios(drained, found[_ROUTED]),
                Goal(at_least=1.0),
            ),
            Line(_KAFKA, found[_KAFKA], unit=_UNIT),
            Line(_SPOOL, found[_SPOOL], unit=_UNIT),
            Line("drained", drained, unit="observations/CPU-s"),
            Line("drained", receiver.drained_a_second, unit="observations/s"),
            Line(_ROUTED, found[_ROUTED], unit="observations/CPU-s"),
            Line("fsync of 4 KiB on this disk", [_fsync(bench.folder)], unit="ms"),
        ]
    )


@dataclass(slots=True)
class _Receiver:
    """A receiver under load; ``drained`` has the observations a CPU-second of each drain."""

    cluster: Cluster
    served: Payevents
    inbox: Inbox
    generator: Generator
    seconds: float
    drained: list[float] = field(default_factory=list)
    drained_a_second: list[float] = field(default_factory=list)

    async def with_kafka(self) -> float:
        """Return the durable 200s for each second of processor time, Kafka there."""
        since = await asyncio.to_thread(self.inbox.ends)
        outcome = await self._load(warm=1.0)
        await asyncio.to_thread(self.inbox.prove, since, traffic(), outcome.acknowledged)
        return outcome.a_cpu_second

    async def without_kafka(self) -> float:
        """Return the same with Kafka frozen, once it is back, all are drained and were read."""
        since = await asyncio.to_thread(self.inbox.ends)
        self.cluster.pause(0)
        try:
            outcome = await self._load(warm=UNTIL_TRIPPED)
            used = cpu_seconds(self.served.pid)
        finally:
            self.cluster.resume(0)
        await self._drain(sum(outcome.acknowledged), used)
        await asyncio.to_thread(self.inbox.prove, since, traffic(), outcome.acknowledged)
        return outcome.a_cpu_second

    async def _load(self, warm: float) -> Outcome:
        shape = Shape(self.seconds, warm=warm, pid=self.served.pid)
        target = Target(self.served.ports["public"])
        outcome = await self.generator.load(target, shape)
        assert not outcome.refused, outcome.statuses
        return outcome

    async def _drain(self, spooled: int, used: float) -> None:
        await asyncio.to_thread(self.served.await_line, "Kafka takes records")
        began = time.monotonic()
        await asyncio.to_thread(self.served.await_line, "the spool was drained")
        self.drained.append(spooled / (cpu_seconds(self.served.pid) - used))
        self.drained_a_second.append(spooled / (time.monotonic() - began))


@asynccontextmanager
async def _receiver(bench: Bench, seconds: float) -> AsyncIterator[_Receiver]:
    site = await new_site(bench)
    served = payevents(bench, site.config, "--roles", "receive", name="spooling")
    with Generator() as generator, served:
        await asyncio.to_thread(served.await_line, "Kafka takes records")
        receiver = _Receiver(await bench.cluster(), served, site.inbox, generator, seconds)
        # The first round of all warms everything up, and shows that all of it works.
        await receiver.with_kafka()
        await receiver.without_kafka()
        receiver.drained.clear()
        receiver.drained_a_second.clear()
        yield receiver


class _Router:
    """A router that works off one backlog after the other."""

    def __init__(self, bench: Bench, contender: Contender) -> None:
        self._contender = contender
        self._servers = ""
        self._count = bench.scaled(OBSERVATIONS)
        self._seeds = count(1)
        self._bench = bench

    async def next(self) -> float:
        """Return the observations routed for each second of processor time."""
        given = await asyncio.to_thread(observations, self._count, PARTITIONS, next(self._seeds))
        cluster = await self._bench.cluster()
        async with filler(cluster.bootstrap_servers) as producer:
            return await self._contender.route(producer, given)


@asynccontextmanager
async def _router(bench: Bench) -> AsyncIterator[_Router]:
    async with AsyncExitStack() as stack:
        router = _Router(bench, await payevents_router(bench, stack, ROUTER))
        await router.next()
        yield router


def _fsync(folder: Path) -> float:
    """Return the milliseconds that one takes in the median: what a group of 200s waits for."""
    descriptor = os.open(folder / "fsync", os.O_CREAT | os.O_WRONLY, 0o600)
    took = []
    try:
        for _ in range(200):
            os.write(descriptor, bytes(4096))
            began = time.perf_counter()
            os.fsync(descriptor)
            took.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
    return 1000 * median(took)
