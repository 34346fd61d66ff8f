"""A router whose ledger holds so many resources when it starts."""

import asyncio
from contextlib import AsyncExitStack

from aiokafka import AIOKafkaProducer

from tests.bench.bench import Bench
from tests.bench.ledgers import fill_table
from tests.bench.program import payevents
from tests.bench.route.contender import Contender
from tests.bench.route.reading import outlet
from tests.bench.route.verifying import check_events
from tests.kafka.test_spine import made
from tests.support.configuration import service_config

_HELD_FOR = "30s"
"""The session timeout: longer than a process is held while its inbox is filled."""

_RUNS_WITHIN = 240.0
"""Seconds for the restore."""


async def started(
    bench: Bench,
    stack: AsyncExitStack,
    producer: AIOKafkaProducer,
    partitions: int,
    resources: int,
) -> Contender:
    """Return ``payevents serve --roles route``, restored, until ``stack`` is closed."""
    cluster, prefix = await bench.cluster(), bench.prefix()
    config = service_config(
        cluster.bootstrap_servers,
        prefix,
        bench.folder / f"spool-{prefix}",
        partitions=partitions,
        session_timeout=_HELD_FOR,
    )
    await asyncio.to_thread(made, config, bench.folder)
    if resources:
        await fill_table(producer, f"{prefix}payevents.ledger", partitions, resources)
    served = stack.enter_context(payevents(bench, config, "--roles", "route", name=prefix))
    for _ in range(partitions):
        await asyncio.to_thread(served.await_line, "the shard runs", _RUNS_WITHIN)
    events = stack.enter_context(
        outlet(cluster.bootstrap_servers, f"{prefix}payments.invoices", partitions)
    )
    return Contender(
        name=f"{partitions} partitions, {resources:,} resources",
        pid=served.pid,
        inbox=f"{prefix}payevents.inbox",
        outlet=events,
        expected=lambda given: len(given.events),
        check=lambda read, given: check_events(read, given.events),
    )
