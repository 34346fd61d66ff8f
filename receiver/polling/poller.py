"""The poller: what a shard of the watchlist does, from its restoration to its end."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

import msgspec
import structlog

from handlers.provider import Discovery, Handler
from receiver.accounts.registry import Accounts
from receiver.care.known import Asked, Care
from receiver.kafka.clients import Record
from receiver.polling.dispatch import Dispatch
from receiver.polling.keeper import Keeper
from receiver.polling.steadiness import Steadiness
from receiver.polling.visits import Visits
from receiver.polling.watchlist import Watchlist
from receiver.registration.signs import Order
from receiver.shards.open_shard import InputRecord, OpenShard
from receiver.watches.requests import (
    LookUp,
    Original,
    Request,
    StartWatch,
    StopWatch,
    from_value,
    partition_key,
    to_record,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_WAIT = 2.0

_GATHERED = 0.5
"""Seconds that visits which showed nothing new wait for each other, to be committed together."""

_TOGETHER = 0.005
"""Seconds between two turns: what has happened meanwhile costs less if it is taken together."""


class Poller:
    """Polls the watches of a shard, until the shard ends."""

    def __init__(
        self,
        accounts: Accounts,
        visits: Visits,
        *,
        batch: int = 500,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self._accounts = accounts
        self._visits = visits
        self._batch = batch
        self._monotonic = monotonic
        self._rounds: set[_Round] = set()

    def accounts(self) -> Mapping[str, Care]:
        """Return all that is known of each account that a shard of this process has."""
        return {name: care for each in self._rounds for name, care in each.care().items()}

    def asked(self) -> Mapping[str, Asked]:
        """Return how the provider of each account that a shard of this process has is asked."""
        return {name: asked for each in self._rounds for name, asked in each.asked().items()}

    async def work(self, shard: OpenShard) -> None:
        """Poll until cancelled.

        Raises:
            SessionLost: the shard must be started again.
            ClockJumped: so that no watch waits for a time that the clock was set back from.
        """
        steadiness = Steadiness(self._visits.clock, self._monotonic)
        working = _Round(shard, self._accounts, self._visits, self._batch, steadiness)
        self._rounds.add(working)
        try:
            await working.run()
        finally:
            self._rounds.discard(working)


class _Round:
    """One task that alone changes the watchlist: visits only tell it what they came to."""

    def __init__(
        self,
        shard: OpenShard,
        accounts: Accounts,
        visits: Visits,
        batch: int,
        steadiness: Steadiness,
    ) -> None:
        self._shard = shard
        self._batch = batch
        self._accounts = accounts
        self._visits = visits
        self._clock = visits.clock
        self._awake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._steadiness = steadiness
        self._watchlist = Watchlist(shard, visits.alarms)
        self._keeper = Keeper(self._watchlist, visits.guard, visits.alarms)
        self._dispatch = Dispatch(self._watchlist, visits, self._keeper, self._awake.set)
        self._fetch: asyncio.Task[Sequence[InputRecord]] | None = None
        self._misplaced: dict[tuple[str, int], list[Record]] = {}
        self._commit_at: float | None = None
        self._turned_at = 0.0
        self._without_room: list[Original] = []
        self._generation = -1
        self._handlers: Mapping[str, Handler] = {}

    def care(self) -> Mapping[str, Care]:
        return self._keeper.care()

    def asked(self) -> Mapping[str, Asked]:
        return self._dispatch.asked()

    async def run(self) -> None:
        try:
            await self._watchlist.restore(self._now())
            while True:
                self._turned_at = self._loop.time()
                self._steadiness.check()
                offset = await self._take_requests()
                self._dispatch.take_outcomes(self._now())
                self._keep_up_with_accounts()
                self._dispatch.start_due(self._now())
                self._keeper.judge(self._now())
                await self._give_up_what_has_no_room()
                if offset is not None or self._is_commit_due():
                    await self._commit(offset)
                await self._wait()
        finally:
            await self._end()

    async def _take_requests(self) -> int | None:
        """Take what was fetched; return the new input offset, None if it is still the same."""
        if self._fetch is None or not self._fetch.done():
            return None
        records = self._fetch.result()
        self._fetch = None
        for record in records:
            requests = _requests_in(record)
            for request in requests:
                self._take_request(request)
            if len(requests) > 1:
                # A hundred signs take milliseconds, in which nobody else had a turn.
                await asyncio.sleep(0)
        self._keeper.is_awake |= self._shard.is_caught_up
        reached = self._shard.reached
        return reached if reached != self._shard.position.offset else None

    def _take_request(self, request: Request) -> None:
        home = self._shard.home(partition_key(request.account))
        if home != self._shard.partition:
            # It was made before there were so many partitions, or by one who had not noticed.
            there = self._misplaced.setdefault((self._shard.spec.input_topic, home), [])
            there.append(to_record(request))
            return
        match request:
            case StartWatch():
                self._watchlist.start(request.watch.key, self._now(), request.since)
            case StopWatch():
                self._watchlist.put(request.watch.key, None)
            case LookUp():
                left_out = self._watchlist.start_look_up(request, self._now())
                if left_out is not None:
                    self._without_room.append(left_out)
            case _:
                self._keeper.take(request, self._now())
                if isinstance(request, Order):
                    # A person asks, who may have mended what calls were stopped for.
                    self._dispatch.try_again(request.account, self._now())

    async def _give_up_what_has_no_room(self) -> None:
        # Before the requests count as handled: a webhook that got its 200 must not vanish here.
        without_room, self._without_room = self._without_room, []
        if without_room:
            await self._visits.give_up(without_room)

    def _keep_up_with_accounts(self) -> None:
        if self._generation == self._accounts.generation:
            return
        self._generation = self._accounts.generation
        before = self._handlers
        self._handlers = {handler.account.name: handler for handler in self._accounts}
        for name in before.keys() - self._handlers.keys():
            self._dispatch.drop(name)
            self._keeper.drop(name)
        for name, handler in self._handlers.items():
            if before.get(name) is not handler and self._is_ours(name):
                self._dispatch.serve(handler)
                self._keeper.serve(handler, self._now())
                for watch in handler.watches():
                    self._watchlist.discover(Discovery(watch), self._now())

    def _is_ours(self, account: str) -> bool:
        return self._shard.home(partition_key(account)) == self._shard.partition

    def _is_commit_due(self) -> bool:
        """Tell whether what changed should be committed now, and note when else it is to be."""
        if not self._dispatch.is_changed:
            return False
        now = self._loop.time()
        if self._commit_at is None:
            self._commit_at = now + _GATHERED
        return self._dispatch.is_pressing or now >= self._commit_at

    async def _commit(self, offset: int | None) -> None:
        self._dispatch.prepare_commit(self._now())
        misplaced, self._misplaced = self._misplaced, {}
        await self._watchlist.commit(offset, outputs=misplaced)
        self._commit_at = None
        self._dispatch.committed()

    async def _wait(self) -> None:
        """Wait until a watch is due, a visit has ended or requests have come."""
        if self._fetch is None:
            self._fetch = asyncio.create_task(self._shard.fetch(wait=_WAIT, limit=self._batch))
            self._fetch.add_done_callback(lambda _: self._awake.set())
        due = self._dispatch.next_at()
        pause = _WAIT if due is None else max(0.0, due - self._now())
        if self._commit_at is not None:
            pause = min(pause, max(0.0, self._commit_at - self._loop.time()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._awake.wait()
        await asyncio.sleep(self._turned_at + _TOGETHER - self._loop.time())
        self._awake.clear()

    async def _end(self) -> None:
        await self._dispatch.end()
        self._watchlist.stalled.end_alarms()
        self._keeper.end()
        if self._fetch is not None:
            self._fetch.cancel()
            await asyncio.wait([self._fetch])
            if not self._fetch.cancelled():
                self._fetch.exception()

    def _now(self) -> float:
        return self._clock().timestamp()


def _requests_in(record: InputRecord) -> Sequence[Request]:
    try:
        return from_value(record.value or b"")
    except msgspec.MsgspecError:
        log.exception("a watch request is none", offset=record.offset)
        return ()
