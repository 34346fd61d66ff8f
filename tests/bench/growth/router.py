"""A router whose ledger holds so many resources when it starts."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from tests.bench.bench import Bench
from tests.bench.ledgers import fill_table
from tests.bench.program import payevents
from tests.bench.route.contender import Contender
from tests.bench.route.observations import account_name
from tests.bench.route.reading import outlet
from tests.bench.route.verifying import check_events
from tests.kafka.test_spine import made
from tests.support.configuration import service_config

_HELD_FOR = "30s"
"""The session timeout: longer than a process is held while its inbox is filled."""

_RUNS_WITHIN = 240.0
"""Seconds for the restore."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a service is; ``resources`` are those in the ledger when it starts."""

    partitions: int = 12
    resources: int = 0
    accounts: int = 1

    def __str__(self) -> str:
        """Return it in words."""
        resources, accounts = f"{self.resources:,} resources", f"{self.accounts:,} accounts"
        return f"{self.partitions} partitions, {resources}, {accounts}"


async def started(
    bench: Bench, stack: AsyncExitStack, producer: AIOKafkaProducer, size: Size
) -> Contender:
    """Return ``payevents serve --roles route``, restored, until ``stack`` is closed."""
    cluster, prefix = await bench.cluster(), bench.prefix()
    config = service_config(
        cluster.bootstrap_servers,
        prefix,
        bench.folder / f"spool-{prefix}",
        partitions=size.partitions,
        session_timeout=_HELD_FOR,
        accounts="".join(_account(number) for number in range(1, size.accounts)),
    )
    await asyncio.to_thread(made, config, bench.folder)
    if size.resources:
        topic = f"{prefix}payevents.ledger"
        await fill_table(producer, topic, size.partitions, size.resources)
    served = stack.enter_context(payevents(bench, config, "--roles", "route", name=prefix))
    for _ in range(size.partitions):
        await asyncio.to_thread(served.await_line, "the shard runs", _RUNS_WITHIN)
    events = stack.enter_context(
        outlet(cluster.bootstrap_servers, f"{prefix}payments.invoices", size.partitions)
    )
    return Contender(
        name=str(size),
        pid=served.pid,
        inbox=f"{prefix}payevents.inbox",
        outlet=events,
        expected=lambda given: len(given.events),
        check=lambda read, given: check_events(read, given.events),
    )


def _account(number: int) -> str:
    return f"""
[accounts.{account_name(number)}]
provider = "smartpay"
api_key = "key-{number}"
base_url = "http://127.0.0.1:9"
"""
