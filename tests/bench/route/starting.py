"""Starting the contenders."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

from tests.bench.bench import Bench
from tests.bench.cores import on_program_core
from tests.bench.program import Program, payevents
from tests.bench.route.contender import Contender
from tests.bench.route.libraries import AIOKAFKA, LIBRDKAFKA
from tests.bench.route.observations import Observations
from tests.bench.route.reading import Outlet, outlet
from tests.bench.route.streams import streams
from tests.bench.route.verifying import Read, check_copy, check_events
from tests.kafka.cluster import Cluster
from tests.kafka.test_spine import made
from tests.support.configuration import service_config

ROUTER = "routed"
UNGUARDED = "routed without transactions"
COPY = "copied"
STREAMS = "routed by Kafka Streams"
SKETCH = "routed by a sketch"
SKETCH_ON_LIBRDKAFKA = "routed by a sketch on librdkafka"
COPY_ON_LIBRDKAFKA = "copied on librdkafka"
PARTITIONS = 4

_UNTIL_COMPILED = 150_000
"""Observations after which the JVM has compiled what runs often."""

_HELD_FOR = "30s"
"""The session timeout: longer than a process is held while its inbox is filled."""


async def started(bench: Bench, stack: AsyncExitStack) -> list[Contender]:
    """Return the contenders, running until ``stack`` is closed."""
    return [
        await payevents_router(bench, stack, ROUTER),
        await payevents_router(bench, stack, UNGUARDED),
        await _copying(bench, stack, COPY, AIOKAFKA),
        await _copying(bench, stack, COPY_ON_LIBRDKAFKA, LIBRDKAFKA),
        await _streams(bench, stack),
        await _sketching(bench, stack, SKETCH, AIOKAFKA),
        await _sketching(bench, stack, SKETCH_ON_LIBRDKAFKA, LIBRDKAFKA),
    ]


async def payevents_router(bench: Bench, stack: AsyncExitStack, name: str) -> Contender:
    """Return a router of payevents, which runs until ``stack`` is closed.

    Called :data:`UNGUARDED`, it is one without transactions.
    """
    cluster, prefix = await bench.cluster(), bench.prefix()
    spool = bench.folder / f"spool-{prefix}"
    config = service_config(
        cluster.bootstrap_servers, prefix, spool, partitions=PARTITIONS, session_timeout=_HELD_FOR
    )
    await asyncio.to_thread(made, config, bench.folder)
    served = payevents(bench, config, "--roles", "route", name=prefix)
    if name == UNGUARDED:
        module = "tests.bench.route.unguarded"
        served.program = on_program_core([sys.executable, "-P", "-m", module])
    stack.enter_context(served)
    for _ in range(PARTITIONS):
        await asyncio.to_thread(served.await_line, "the shard runs")
    events = _outlet(stack, cluster, f"{prefix}payments.invoices")
    inbox = f"{prefix}payevents.inbox"
    return Contender(name, served.pid, inbox, events, _events, _check_events)


async def _copying(bench: Bench, stack: AsyncExitStack, name: str, library: str) -> Contender:
    looping = await _looping(bench, stack, "copying", library, "copies")
    copies = _outlet(stack, await bench.cluster(), looping.output)
    return Contender(name, looping.pid, looping.inbox, copies, _copies, _check_copies)


async def _sketching(bench: Bench, stack: AsyncExitStack, name: str, library: str) -> Contender:
    looping = await _looping(bench, stack, "sketching", library, "events", "ledger")
    events = _outlet(stack, await bench.cluster(), looping.output)
    return Contender(name, looping.pid, looping.inbox, events, _events, _check_events)


class _Looping(NamedTuple):
    """A loop that runs, where it reads, and the first of the topics that it writes to."""

    pid: int
    inbox: str
    output: str


async def _looping(
    bench: Bench, stack: AsyncExitStack, module: str, library: str, *outputs: str
) -> _Looping:
    cluster, prefix = await bench.cluster(), bench.prefix()
    inbox, positions = f"{prefix}inbox", f"{prefix}positions"
    topics = [f"{prefix}{output}" for output in outputs]
    await _create(cluster, inbox, positions, *topics)
    program = Program.module(
        bench,
        f"tests.bench.route.{module}",
        *(library, str(PARTITIONS), cluster.bootstrap_servers, inbox, positions, *topics),
    )
    await stack.enter_async_context(program)
    return _Looping(program.pid, inbox, topics[0])


async def _streams(bench: Bench, stack: AsyncExitStack) -> Contender:
    cluster, prefix = await bench.cluster(), bench.prefix()
    inbox, events = f"{prefix}inbox", f"{prefix}events"
    await _create(cluster, inbox, events)
    program = await streams(bench, cluster.bootstrap_servers, inbox, events)
    await stack.enter_async_context(program)
    written = _outlet(stack, cluster, events)
    return Contender(STREAMS, program.pid, inbox, written, _events, _check_events, _UNTIL_COMPILED)


async def _create(cluster: Cluster, *topics: str) -> None:
    for topic in topics:
        await asyncio.to_thread(cluster.create_topic, topic, PARTITIONS)


def _outlet(stack: AsyncExitStack, cluster: Cluster, topic: str) -> Outlet:
    return stack.enter_context(outlet(cluster.bootstrap_servers, topic, PARTITIONS))


def _events(given: Observations) -> int:
    return len(given.events)


def _copies(given: Observations) -> int:
    return given.count


def _check_events(read: Sequence[Read], given: Observations) -> None:
    check_events(read, given.events)


def _check_copies(read: Sequence[Read], given: Observations) -> None:
    check_copy(read, given.records)
