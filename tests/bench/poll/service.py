"""``payevents serve --roles poll`` at full speed, and how many of its polls count."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from handlers.provider import Watch
from receiver.kafka.clients import partition_for
from receiver.polling.entry import WatchEntry
from receiver.polling.watchlist import is_note
from receiver.watches.requests import StartWatch, partition_key, to_record
from tests.bench.bench import Bench
from tests.bench.cores import cpu_seconds
from tests.bench.poll.provider import StandIn
from tests.bench.poll.resources import KIND, resources
from tests.bench.program import payevents
from tests.kafka.reader import follow
from tests.kafka.test_spine import made
from tests.support.configuration import service_config
from tests.support.payevents import Payevents

ACCOUNT = "cherries-"
PARTITIONS = 4
PATIENCE = 120.0
"""Seconds for what is waited for before a benchmark gives up."""


class Polling:
    """A running poller, its provider, and the polls of it that the watchlist tells of."""

    def __init__(self, running: Payevents, provider: StandIn, committed: "Committed") -> None:
        self._running = running
        self._provider = provider
        self._committed = committed

    async def microseconds(self, seconds: float) -> float:
        """Let it poll for so many seconds; return what a poll cost, in microseconds of CPU.

        Raises:
            TimeoutError: a poll was answered, and the watchlist does not say so afterwards.
        """
        before, began = self._provider.answered, cpu_seconds(self._running.pid)
        self._provider.open()
        await asyncio.sleep(seconds)
        await self.rest()
        used = cpu_seconds(self._running.pid) - began
        return used * 1e6 / (self._provider.answered - before)

    async def rest(self) -> None:
        """Let it wait, once all that was answered is in the watchlist."""
        self._provider.close()
        async with asyncio.timeout(PATIENCE):
            while self._committed.polls < self._provider.answered:  # noqa: ASYNC110 - a thread counts
                await asyncio.sleep(0.01)
        if self._committed.polls > self._provider.answered:
            raise AssertionError("the watchlist tells of polls that nobody answered")


class Committed(threading.Thread):
    """Counts the polls that readers of the watchlist see, with read_committed."""

    def __init__(self, servers: str, topic: str) -> None:
        super().__init__(daemon=True)
        self.polls = 0
        self._follow = follow(servers, [topic], lambda: self._is_over)
        self._is_over = False

    def run(self) -> None:
        """Count until stopped."""
        for records in self._follow:
            for record in records:
                if record.value is not None and _is_polled(record.key or b""):
                    entry = WatchEntry.decode(record.value)
                    self.polls += entry.last_polled_at is not None and not entry.failures

    def stop(self) -> None:
        """End."""
        self._is_over = True
        self.join()


def _is_polled(key: bytes) -> bool:
    """Tell whether a record is about a watch of ours, and not what else a watchlist holds."""
    return key.startswith(ACCOUNT.encode()) and not is_note(key.decode())


@asynccontextmanager
async def polling(
    bench: Bench, *, accounts: int, watches: int, concurrency: int, interval: str = "1s"
) -> AsyncIterator[Polling]:
    """Yield a poller of so many watches, spread over the accounts, each read once before.

    ``concurrency`` is how many calls are under way at once.
    """
    cluster, prefix = await bench.cluster(), bench.prefix()
    async with StandIn() as provider:
        provider.show(resources(watches, provider.base_url))
        each = max(1, concurrency // accounts)
        config = service_config(
            cluster.bootstrap_servers,
            prefix,
            bench.folder / f"spool-{prefix}",
            partitions=PARTITIONS,
            accounts="".join(
                _account(number, provider, each, interval) for number in range(accounts)
            )
            # One host gets half of what there is.
            + f"[poller]\nconcurrency = {2 * concurrency}\n",
        )
        await asyncio.to_thread(made, config, bench.folder)
        topics = f"{prefix}payevents."
        await _register(cluster.bootstrap_servers, f"{topics}watch-requests", accounts, watches)
        committed = Committed(cluster.bootstrap_servers, f"{topics}watchlist")
        committed.start()
        running = payevents(bench, config, "--roles", "poll", name=f"poll-{prefix}")
        try:
            await asyncio.to_thread(running.start)
            async with asyncio.timeout(PATIENCE):
                while committed.polls < watches:  # noqa: ASYNC110 - a thread counts
                    await asyncio.sleep(0.1)
            now = Polling(running, provider, committed)
            await now.rest()
            yield now
        finally:
            provider.open()
            running.__exit__()
            committed.stop()


def _account(number: int, provider: StandIn, concurrency: int, interval: str) -> str:
    return f"""
[accounts.{ACCOUNT}{number}]
provider = "voucherry"
base_url = "{provider.base_url}"
auth_token = "token"
poll_interval = "{interval}"
calls = 10000000
call_timeout = "1h"
concurrency = {concurrency}
"""


async def _register(servers: str, topic: str, accounts: int, watches: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=servers, linger_ms=5)
    await producer.start()
    try:
        sent = []
        for number in range(watches):
            account = f"{ACCOUNT}{number % accounts}"
            watch = Watch(account, KIND, str(number))
            record = to_record(StartWatch(watch.account, watch.kind, watch.id))
            home = partition_for(partition_key(account), PARTITIONS)
            sent.append(await producer.send(topic, record.value, record.key, partition=home))
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
