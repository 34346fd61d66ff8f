"""The poller: what a shard of the watchlist does, visit after visit."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence

import msgspec
import structlog

from handlers.provider import Discovery
from receiver.accounts import Accounts
from receiver.kafka.appender import NotDurable
from receiver.kafka.clients import partition_for
from receiver.kafka.open_shard import InputRecord, OpenShard
from receiver.polling.account import AccountPolling
from receiver.polling.entry import ACTIVE, WatchEntry
from receiver.polling.visits import Outcome, Visits
from receiver.polling.watchlist import Watchlist, parse_key
from receiver.watches import LOOK_UP, LookUp, StartWatch, StopWatch, from_value, partition_key

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_WAIT = 2.0
_BATCH = 500
_INBOX_PAUSE = 2.0


class Poller:
    """Polls the watches of a shard, until the shard ends."""

    def __init__(self, accounts: Accounts, visits: Visits) -> None:
        self._accounts = accounts
        self._visits = visits

    async def work(self, shard: OpenShard) -> None:
        """Poll until cancelled.

        Raises:
            SessionLost: the shard must be started again.
        """
        await _Round(shard, self._accounts, self._visits).run()


class _Round:
    """A shard's polling from its restoration to its end."""

    def __init__(self, shard: OpenShard, accounts: Accounts, visits: Visits) -> None:
        self._shard = shard
        self._accounts = accounts
        self._visits = visits
        self._watchlist = Watchlist(shard, visits.alarms)
        self._polling: dict[str, AccountPolling] = {}
        self._under_way: set[asyncio.Task[Outcome | None]] = set()
        self._generation = -1

    async def run(self) -> None:
        fetch: asyncio.Task[Sequence[InputRecord]] | None = None
        try:
            while True:
                self._keep_up_with_accounts()
                self._start_due()
                fetch = fetch or asyncio.create_task(self._shard.fetch(wait=_WAIT, limit=_BATCH))
                await asyncio.wait(
                    {fetch, *self._under_way},
                    timeout=self._pause(),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                offset = None
                if fetch.done():
                    offset = self._take_requests(fetch.result())
                    fetch = None
                self._take_outcomes()
                if self._watchlist.changed or offset is not None:
                    await self._watchlist.commit(offset)
        finally:
            await _cancel([*self._under_way, *([fetch] if fetch else [])])

    def _keep_up_with_accounts(self) -> None:
        if self._generation == self._accounts.generation:
            return
        self._generation = self._accounts.generation
        for name, polling in list(self._polling.items()):
            if self._accounts.get(name) is not polling.handler:
                del self._polling[name]
        for handler in self._accounts:
            if self._is_ours(handler.account.name):
                for watch in handler.watches():
                    self._watchlist.discover(Discovery(watch), self._now())
        self._watchlist.reschedule()

    def _is_ours(self, account: str) -> bool:
        partitions = self._shard.position.input_partitions
        return partition_for(partition_key(account), partitions) == self._shard.partition

    def _account(self, name: str) -> AccountPolling | None:
        known = self._polling.get(name)
        handler = self._accounts.get(name)
        if known is not None or handler is None:
            return known
        visits = self._visits
        polling = AccountPolling(handler, visits.clock, visits.alarms, visits.rng)
        self._polling[name] = polling
        return polling

    def _take_requests(self, records: Sequence[InputRecord]) -> int | None:
        for record in records:
            try:
                request = from_value(record.value or b"")
            except msgspec.MsgspecError:
                log.exception("a watch request is none", offset=record.offset)
                continue
            match request:
                case StartWatch():
                    self._watchlist.start(request.watch.key, self._now())
                case StopWatch():
                    self._watchlist.put(request.watch.key, None)
                case LookUp():
                    self._watchlist.start_look_up(request, self._now())
        return records[-1].offset + 1 if records else None

    def _start_due(self) -> None:
        now = self._now()
        while (key := self._watchlist.schedule.pop_due(now)) is not None:
            account = self._account(parse_key(key).account)
            # The watches of an account that is gone rest until it comes back.
            if account is not None:
                account.waiting.append(key)
        for account in self._polling.values():
            while account.waiting and account.may_start(now):
                self._start(account, account.waiting.popleft())

    def _start(self, account: AccountPolling, key: str) -> None:
        entry = self._watchlist.get(key)
        if entry is None or entry.state != ACTIVE:
            return
        batch = {key: entry}
        if parse_key(key).kind == LOOK_UP:
            batch.update(self._other_look_ups(account))
            visit = self._visits.look_up(account, batch)
        else:
            visit = self._visits.poll(account, parse_key(key), key, entry)
        account.under_way += 1
        task = asyncio.create_task(self._guard(account, batch, visit), name=f"visit-{key}")
        self._under_way.add(task)

    def _other_look_ups(self, account: AccountPolling) -> dict[str, WatchEntry]:
        """Take the account's other waiting look-ups: one listing may answer them all."""
        waiting = [key for key in account.waiting if parse_key(key).kind == LOOK_UP]
        account.waiting = deque(key for key in account.waiting if parse_key(key).kind != LOOK_UP)
        entries = {key: self._watchlist.get(key) for key in waiting}
        return {key: entry for key, entry in entries.items() if entry is not None}

    async def _guard(
        self,
        account: AccountPolling,
        batch: dict[str, WatchEntry],
        visit: Coroutine[None, None, Outcome],
    ) -> Outcome | None:
        try:
            return await visit
        except NotDurable:
            # Nothing was committed: the same visit is made again when the inbox takes records.
            for key in batch:
                self._watchlist.schedule.put(key, self._now() + _INBOX_PAUSE)
            return None
        finally:
            account.under_way -= 1

    def _take_outcomes(self) -> None:
        done = {task for task in self._under_way if task.done()}
        self._under_way -= done
        for outcome in (task.result() for task in done):
            if outcome is None:
                continue
            if outcome.failure is None:
                outcome.account.succeeded()
            else:
                outcome.account.failed(outcome.failure, self._now())
            for key, after in outcome.entries.items():
                self._watchlist.finish(key, outcome.visited[key], after)
            for discovery in outcome.discovered:
                self._watchlist.discover(discovery, self._now())

    def _pause(self) -> float:
        """Return how long nothing will be due, in seconds."""
        now = self._now()
        scheduled = self._watchlist.schedule.next_at()
        times = [] if scheduled is None else [scheduled]
        times += [
            polling.breaker.open_until
            for polling in self._polling.values()
            if polling.waiting and polling.breaker.is_open(now)
        ]
        return max(0.0, min(times, default=now + _WAIT) - now)

    def _now(self) -> float:
        return self._visits.clock().timestamp()


async def _cancel(tasks: Sequence["asyncio.Task[object]"]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
