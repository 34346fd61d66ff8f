"""A poller that calls a real provider's sandbox over HTTP; only the time and Kafka are made up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from unittest.mock import patch
from uuid import UUID

from config.account import AccountSettings
from handlers.fact import Fact
from handlers.provider import Provider
from handlers.sandbox import Sandbox
from receiver.accounts.registry import Accounts
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.polling import poller
from receiver.polling.caller import Caller
from receiver.polling.entry import ACTIVE, WatchEntry
from receiver.polling.poller import Poller
from receiver.polling.visits import Visits
from receiver.polling.watchlist import is_note
from receiver.sandbox import SandboxHost
from receiver.watches.requests import StopWatch

from .fakes import FakeInbox, FakeShard


class Live:
    """One account at a sandbox, and the shard that polls it."""

    def __init__(self, host: SandboxHost, provider: Provider, name: str) -> None:
        self.name = name
        self.now = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
        self.host = host
        self.shard = FakeShard()
        self.inbox = FakeInbox()
        self.alarms = Alarms(self.clock)
        self.accounts = Accounts({provider.name: provider})
        self.configure(host.sandbox.account(name, host.base_url))
        self.caller = Caller(Metrics(self.alarms), self.clock, max_response=1 << 20, concurrency=8)
        visits = Visits(self.inbox, self.caller, self.alarms, self.clock, Random(5))
        self.poller = Poller(self.accounts, visits, monotonic=self.passed)

    def clock(self) -> datetime:
        """Return the time, which passes only when the test says so."""
        return self.now

    def passed(self) -> float:
        """Return the same in seconds, from an arbitrary beginning."""
        return self.now.timestamp()

    def configure(self, settings: AccountSettings) -> None:
        """Give the account these settings from now on."""
        self.accounts.replace({self.name: settings})

    async def pass_time(self, passed: timedelta) -> None:
        """Let time pass, and wait until every active watch that was due has been visited."""
        self.now += passed
        self.shard.send()
        await self.until(lambda: all(not self._is_due(entry) for entry in self.watches().values()))

    async def turn(self, passed: timedelta) -> None:
        """Let time pass, and wait until the poller has started what it will start by then."""
        self.now += passed
        handled = self.shard.position.offset
        self.shard.send(StopWatch(self.name, "nothing", "nowhere"))
        await self.until(lambda: self.shard.position.offset > handled)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for commits until it holds."""
        async with self.shard.committed:
            await self.shard.committed.wait_for(holds)

    def watches(self) -> dict[str, WatchEntry]:
        """Return the committed watches."""
        return {
            key.decode(): WatchEntry.decode(raw)
            for key, raw in self.shard.entries.items()
            if not is_note(key.decode())
        }

    def facts(self) -> list[tuple[str, str]]:
        """Return the kind and action of each fact that the inbox's observations assert."""
        return [(fact.resource.kind, fact.action) for fact in self._asserted()]

    def fact_ids(self) -> set[UUID]:
        """Return the ids of these facts."""
        return {fact.id for fact in self._asserted()}

    def asked(self, path: str) -> int:
        """Return how often the sandbox was asked for what begins so, as ``"GET /path"``."""
        return sum(count for asked, count in self.host.requests.items() if asked.startswith(path))

    def codes(self) -> set[str]:
        """Return the codes of the alarms that are not over."""
        return {alarm.code for alarm in self.alarms.present}

    def _asserted(self) -> Iterator[Fact]:
        handler = self.accounts.get(self.name)
        assert handler is not None
        for _, observation in self.inbox.appended:
            reading = handler.interpret(observation).reading
            assert reading is not None
            yield from reading.facts

    def _is_due(self, entry: WatchEntry) -> bool:
        return entry.state == ACTIVE and entry.next_poll_at <= self.now.timestamp()


@asynccontextmanager
async def polled(
    provider: Provider, name: str, sandbox: Sandbox | None = None
) -> AsyncIterator[Live]:
    """Serve a sandbox, and poll one account there."""
    clock = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    # Whoever passes time waits for a commit, which need not wait for other visits.
    with patch.object(poller, "_GATHERED", 0.0):
        async with SandboxHost(sandbox or provider.sandbox(), clock=lambda: clock) as host:
            live = Live(host, provider, name)
            await live.caller.start()
            work = asyncio.create_task(live.poller.work(live.shard))
            try:
                yield live
            finally:
                work.cancel()
                await asyncio.wait([work])
                await live.caller.close()
            if not work.cancelled():
                work.result()
