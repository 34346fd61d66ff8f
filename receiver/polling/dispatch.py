"""Which visit goes now: each watch when it is due, within what its account allows."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass

from handlers.provider import RECONCILIATION, Handler
from receiver.care.known import Asked
from receiver.kafka.appender import NotDurable
from receiver.polling.account import AccountPolling
from receiver.polling.entry import ACTIVE, WatchEntry
from receiver.polling.keeper import Keeper
from receiver.polling.outcome import Outcome
from receiver.polling.schedule import Schedule
from receiver.polling.standings import Standings
from receiver.polling.visits import Visits
from receiver.polling.watchlist import Watchlist, parse_key
from receiver.registration.registered import REGISTRATION
from receiver.watches.requests import LOOK_UP

_UNTIL_AWAKE = 1.0
"""Seconds after which it is looked again whether the signs have been read."""


MOST_AT_ONCE = 2_000
"""Watches that fall due in one turn: after an outage all are, and the loop has others to serve."""


@dataclass(slots=True, eq=False)
class _Visit:
    """A visit under way, and the watches as they were when it began."""

    account: AccountPolling
    batch: dict[str, WatchEntry]
    task: "asyncio.Task[Outcome]"


class Dispatch:
    """Sends visits off and takes their outcomes; ``wake`` is called when one has ended.

    Nothing here goes through all accounts, of which there may be thousands: an account costs
    something only when one of its watches is due or has been visited.
    """

    def __init__(
        self, watchlist: Watchlist, visits: Visits, keeper: Keeper, wake: Callable[[], None]
    ) -> None:
        self._watchlist = watchlist
        self._visits = visits
        self._keeper = keeper
        self._wake = wake
        self._standings = Standings(watchlist, visits, wake)
        self._accounts: dict[str, AccountPolling] = {}
        self._stirred: dict[AccountPolling, None] = {}
        self._pause_ends: dict[str, float] = {}
        self._pauses = Schedule(self._pause_ends.get)
        self._resting: defaultdict[str, list[str]] = defaultdict(list)
        self._under_way: dict[asyncio.Task[Outcome], _Visit] = {}
        self._ended: list[_Visit] = []
        self._loop = asyncio.get_running_loop()

    def serve(self, handler: Handler) -> None:
        """Poll for an account that came or changed; its watches that were due meanwhile are.

        Visits by its old settings go on to their end, and count as under way until then.
        """
        name = handler.account.name
        self.drop(name)
        account = self._accounts[name] = self._standings.serve(handler)
        visits = (*self._under_way.values(), *self._ended)
        account.under_way = sum(visit.account.name == name for visit in visits)
        for key in self._resting.pop(name, ()):
            self._watchlist.postpone(key)

    def drop(self, name: str) -> None:
        """Poll no more for an account: its watches rest until it comes back."""
        account = self._accounts.pop(name, None)
        if account is not None:
            account.is_served = False
            self._standings.drop(account)
            self._stirred.pop(account, None)
            self._pause_ends.pop(name, None)
            for key in account.waiting:
                self._watchlist.postpone(key)

    def asked(self) -> Mapping[str, Asked]:
        """Return how each account's provider is asked."""
        return {name: account.asked() for name, account in self._accounts.items()}

    def next_at(self) -> float | None:
        """Return when the next watch is due or the next account's pause is over, None if never."""
        times = (self._watchlist.schedule.next_at(), self._pauses.next_at())
        return min((at for at in times if at is not None), default=None)

    def start_due(self, now: float) -> None:
        """Start the visits that are due and allowed."""
        while (name := self._pauses.take_due(now)) is not None:
            del self._pause_ends[name]
            self._pauses.put_back(name)
            self._stirred[self._accounts[name]] = None
        for _ in range(MOST_AT_ONCE):
            key = self._watchlist.take_due(now)
            if key is None:
                break
            name, kind, _ = key.split("/", 2)
            account = self._accounts.get(name)
            if account is None:
                self._resting[name].append(key)
            elif kind == REGISTRATION and not self._keeper.is_awake:
                # It would judge by what is long out of date.
                self._watchlist.postpone(key, now + _UNTIL_AWAKE)
            else:
                pace = self._watchlist.rank(key) if kind == RECONCILIATION else 0.0
                account.waiting.add(key, now, pace)
                self._stirred[account] = None
        for account in self._stirred:
            self._start_waiting(account, now)
        self._stirred.clear()

    def take_outcomes(self, now: float) -> None:
        """Take into the watchlist what the visits came to that have ended."""
        ended, self._ended = self._ended, []
        self._standings.check(now)
        for visit in ended:
            # Its settings may have changed meanwhile, or it may have gone.
            account = self._accounts.get(visit.account.name)
            if account is not None:
                account.under_way -= 1
                self._stirred[account] = None
            else:
                # It was called once more since it went.
                self._visits.caller.forget(visit.account.name)
            try:
                outcome = visit.task.result()
            except NotDurable:
                # It is made again, but no sooner than any other: the provider was asked, and must
                # not be called more often because our inbox takes nothing.
                pause = visit.account.interval
                for key in visit.batch:
                    self._watchlist.postpone(key, now + pause)
            else:
                self._take(visit, outcome, now)

    @property
    def is_changed(self) -> bool:
        """Tell whether there is anything to commit."""
        return self._watchlist.changed or self._standings.are_changed

    @property
    def is_pressing(self) -> bool:
        """Tell whether there should be a commit at once."""
        return self._watchlist.is_pressing or self._standings.are_pressing

    def prepare_commit(self, now: float) -> None:
        """Have the next commit hold the accounts' standings as they are ``now``."""
        self._standings.write(now)

    def committed(self) -> None:
        """Go on with what waited for a commit: there has been one."""
        self._standings.committed()

    def try_again(self, name: str, now: float) -> None:
        """Have an account try at once, although its calls have stopped or rest, if it is ours."""
        account = self._accounts.get(name)
        if account is not None:
            account.try_again(now)
            self._stirred[account] = None

    async def end(self) -> None:
        """End the visits under way, none of which counts, and the alarms."""
        tasks = [*self._under_way, *(visit.task for visit in self._ended)]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                # Heard, or it would be complained about that nobody did.
                task.exception()
        for account in self._accounts.values():
            self._standings.drop(account)

    def _start_waiting(self, account: AccountPolling, now: float) -> None:
        waiting = account.waiting
        while waiting and account.may_start(now):
            self._start(account, waiting.take())
        account.check_waiting(now)
        if not waiting or account.is_busy:
            # The end of a visit stirs the account, or the next watch that falls due.
            return
        at = account.may_start_at(now)
        # Time has passed since it might not: without a visit whose end stirs the account, it would
        # wait for ever for a moment that has just gone by.
        if at is not None and (at > now or not account.under_way):
            self._pause_ends[account.name] = at = max(at, now)
            self._pauses.put(account.name, at)

    def _start(self, account: AccountPolling, keys: list[str]) -> None:
        batch: dict[str, WatchEntry] = {}
        for key in keys:
            entry = self._watchlist.begin(key)
            if entry is None or entry.state != ACTIVE:
                self._watchlist.postpone(key)
            else:
                batch[key] = entry
        if batch:
            task = self._loop.create_task(self._visit(account, batch), name=f"visit-{keys[0]}")
            account.under_way += 1
            self._under_way[task] = _Visit(account, batch, task)
            task.add_done_callback(self._note_end)

    def _visit(
        self, account: AccountPolling, batch: dict[str, WatchEntry]
    ) -> Coroutine[object, object, Outcome]:
        """Return a visit that knows already what it goes by.

        When it runs a commit may be under way, and what that commits is not to be seen meanwhile.
        """
        key, entry = next(iter(batch.items()))
        watch = parse_key(key)
        if watch.kind == LOOK_UP:
            return self._visits.look_up(account, batch)
        if watch.kind == REGISTRATION:
            return self._visits.look_after(account, watch, entry, self._keeper.seen(account.name))
        return self._visits.poll(account, watch, entry)

    def _note_end(self, task: "asyncio.Task[Outcome]") -> None:
        self._ended.append(self._under_way.pop(task))
        self._wake()

    def _take(self, visit: _Visit, outcome: Outcome, now: float) -> None:
        quietly = not outcome.is_news and visit.account.is_well
        if visit.account.is_served:
            if outcome.failure is not None:
                visit.account.failed(outcome.failure, now)
            elif outcome.asked:
                visit.account.succeeded(now)
            self._standings.visited(visit.account, now, quietly=quietly)
        for key, after in outcome.entries.items():
            self._watchlist.finish(key, visit.batch[key], after, quietly=quietly)
        for discovery in outcome.discovered:
            self._watchlist.discover(discovery, now)
        if outcome.sweeps:
            self._keeper.sweep(visit.account.name, now)
