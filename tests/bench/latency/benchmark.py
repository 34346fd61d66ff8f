"""Webhooks at a steady rate, timed until their events are readable, beside bare transactions."""

import asyncio
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from statistics import median

from tests.bench.bench import Bench
from tests.bench.cores import cpu_seconds
from tests.bench.latency.posting import post
from tests.bench.latency.webhooks import Sent, webhooks
from tests.bench.measure import Findings, Goal, Line, interleaved, ratios
from tests.bench.program import Program, payevents
from tests.bench.receive.traffic import Target, Traffic, requests
from tests.bench.route.reading import Outlet, outlet
from tests.bench.route.verifying import Read, check_events
from tests.bench.undisturbed import undisturbed
from tests.kafka.test_spine import made
from tests.support.configuration import service_config
from tests.support.payevents import Payevents

PARTITIONS = 4
RATE = 1_000.0
"""Webhooks a second."""

SECONDS = 5
"""Of which the first is not counted: in it the load begins."""

TRANSACTIONS = 300

APART = 0.02
"""Seconds in which Kafka has ended a transaction in every respect. Begun sooner, the next one is
refused at first."""

_WITHIN = 60.0
"""Seconds in which everything must be readable."""

_RECEIPT, _TRANSACTION, _ALONE = (
    "receipt to readable, p99",
    "bare transactions one after another, p99",
    "a bare transaction alone, p99",
)


async def measure(bench: Bench) -> Findings:
    """Time both in turn; every webhook must be answered 200, and its events be read once."""
    with ExitStack() as stack:
        service = await _service(bench, stack)
        transactions = await _transactions(bench, stack, apart=0.0)
        alone = await _transactions(bench, stack, apart=APART)
        await service.p99()
        service.forget()
        found = await interleaved(
            bench,
            {_RECEIPT: service.p99, _TRANSACTION: transactions.p99, _ALONE: alone.p99},
        )
    note = f"at {RATE:,.0f} webhooks a second"
    return Findings(
        [
            *(
                Line(
                    f"{_RECEIPT} ÷ {bare}",
                    ratios(found[_RECEIPT], found[bare]),
                    Goal(at_most=3.0),
                    note=note,
                )
                for bare in (_TRANSACTION, _ALONE)
            ),
            *(Line(name, values, unit="ms") for name, values in found.items()),
            Line("receipt to readable, p50", service.medians, unit="ms"),
            Line("bare transactions one after another, p50", transactions.medians, unit="ms"),
            Line("a bare transaction alone, p50", alone.medians, unit="ms"),
            Line("of a core that the service needs for it", service.shares, note=note),
        ]
    )


@dataclass(slots=True)
class _Service:
    """payevents, and what is known of its rounds: medians in ms, and how much of a core it needs.

    Where that comes near to one, what is timed is a queue.
    """

    served: Payevents
    events: Outlet
    posting: ProcessPoolExecutor
    medians: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    _seeds: "count[int]" = field(default_factory=count)

    async def p99(self) -> float:
        """Post a round's webhooks; return the 99th percentile of their ways, in ms."""
        sent = webhooks(round(RATE * SECONDS), next(self._seeds))
        target = Target(self.served.ports["public"])
        rendered = requests(target, Traffic(sent.webhooks, sent.keys))
        used = cpu_seconds(self.served.pid)
        loop = asyncio.get_running_loop()
        with undisturbed():
            reading = asyncio.to_thread(_read, self.events, len(sent.events))
            posting = loop.run_in_executor(
                self.posting, post, (target.host, target.port), rendered, RATE
            )
            due, read = await asyncio.gather(posting, reading)
        self.shares.append((cpu_seconds(self.served.pid) - used) / SECONDS)
        check_events(read, sent.events)
        ways = arrivals(sent, due, read)[round(RATE) :]
        self.medians.append(median(ways))
        return percentile(ways, 0.99)

    def forget(self) -> None:
        """Forget the rounds so far: they were for warming up."""
        self.medians.clear()
        self.shares.clear()


@dataclass(slots=True)
class _Transactions:
    """A producer of bare transactions, ``apart`` seconds after each other.

    It is started anew each round, so that it rests in between.
    """

    bench: Bench
    apart: float
    servers: str
    topic: str
    records: Outlet
    medians: list[float] = field(default_factory=list)

    async def p99(self) -> float:
        """Return the 99th percentile from begin to readable, in ms."""
        many = max(100, self.bench.scaled(TRANSACTIONS))
        module = "tests.bench.latency.transacting"
        arguments = (str(many), str(self.apart), self.servers, self.topic)
        with undisturbed():
            reading = asyncio.create_task(asyncio.to_thread(_read, self.records, many))
            async with Program.module(self.bench, module, *arguments):
                read = await reading
        ways = [1000 * (record.at - float(record.value)) for record in read]
        self.medians.append(median(ways))
        return percentile(ways, 0.99)


def arrivals(sent: Sent, due: Sequence[float], read: Sequence[Read]) -> list[float]:
    """Return for each webhook the ms from when it was due until its last event was read."""
    latest = list(due)
    for record in read:
        number = sent.numbers[record.key.decode()]
        latest[number] = max(latest[number], record.at)
    return [1000 * (at - since) for at, since in zip(latest, due, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def _service(bench: Bench, stack: ExitStack) -> _Service:
    cluster, prefix = await bench.cluster(), bench.prefix()
    servers, spool = cluster.bootstrap_servers, bench.folder / f"spool-{prefix}"
    config = service_config(servers, prefix, spool, partitions=PARTITIONS)
    await asyncio.to_thread(made, config, bench.folder)
    served = stack.enter_context(payevents(bench, config, "--roles", "receive,route", name=prefix))
    for _ in range(PARTITIONS):
        await asyncio.to_thread(served.await_line, "the shard runs")
    # Forked, it would have the threads of this process half.
    spawn = multiprocessing.get_context("spawn")
    posting = stack.enter_context(ProcessPoolExecutor(1, mp_context=spawn))
    events = stack.enter_context(outlet(servers, f"{prefix}payments.invoices", PARTITIONS))
    return _Service(served, events, posting)


async def _transactions(bench: Bench, stack: ExitStack, apart: float) -> _Transactions:
    cluster, topic = await bench.cluster(), f"{bench.prefix()}transactions"
    await asyncio.to_thread(cluster.create_topic, topic)
    records = stack.enter_context(outlet(cluster.bootstrap_servers, topic, 1))
    return _Transactions(bench, apart, cluster.bootstrap_servers, topic, records)


def _read(from_outlet: Outlet, many: int) -> list[Read]:
    return from_outlet.read(many, within=_WITHIN, promptly=True)
