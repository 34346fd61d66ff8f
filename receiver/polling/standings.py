"""The standing of a shard's accounts: restored from the watchlist, and kept there."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from config.account import AccountSettings
from handlers.provider import Handler
from receiver.polling.account import AccountPolling
from receiver.polling.standing import Standing, standing_key
from receiver.polling.visits import Visits
from receiver.polling.watchlist import Watchlist

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_RARE = 10.0
"""Seconds per call: where calls are as few, a transaction for each of them costs nothing."""

_SHARE_AT_RISK = 10
"""Calls wait for a common commit until they are as many as this part of the budget."""

_SHARE_UNWRITTEN = 100
"""Those of uneventful visits are left out of commits until they are this part of the budget."""

_UNWRITTEN_FOR = 5.0
"""Seconds between two standings of an account that has nothing to tell but its calls."""


@dataclass(slots=True)
class _Written:
    """When an account's standing was last written, and what is to be written again after it.

    From ``many`` calls on it is due, with more than ``too_many`` at once, counted as the budget
    counts them; ``waits`` if it is to be written again by and by.
    """

    at: float
    many: int
    too_many: int
    waits: bool = False

    @classmethod
    def of(cls, account: AccountPolling, at: float, taken: int) -> "_Written":
        """Return it for a standing that was written ``at`` a time, after so many calls."""
        settings = account.settings
        many = taken + settings.calls // _SHARE_UNWRITTEN
        return cls(at, many, taken + settings.calls // _SHARE_AT_RISK - settings.concurrency)


class Standings:
    """What outlives the owner of an account. ``wake`` is called when something is to be committed.

    Most accounts' calls are committed with what the visits came to, so that those of visits under
    way are lost with an owner that ends, and those of visits that wait to be told: for a commit,
    which comes half a second later at most, and sooner once as many calls wait as are a tenth of
    the budget. A visit that showed nothing waits for others besides, a few seconds or until their
    calls are a hundredth of the budget: with many accounts the standings would cost as much as the
    visits. Where calls are few, each is committed before it is made.
    """

    def __init__(self, watchlist: Watchlist, visits: Visits, wake: Callable[[], None]) -> None:
        self._watchlist = watchlist
        self._visits = visits
        self._wake = wake
        self._accounts: dict[str, AccountPolling] = {}
        self._seen: set[str] = set()
        self._asking: list[tuple[str, asyncio.Future[None]]] = []
        self._noted: list[asyncio.Future[None]] = []
        self._written: dict[str, _Written] = {}
        self._due: dict[str, None] = {}
        """The accounts whose standing the next commit holds."""
        self._later: deque[tuple[float, str]] = deque()
        """When those of others are due, in order."""
        self._is_much = False

    def serve(self, handler: Handler) -> AccountPolling:
        """Return the polling of an account that came or changed, with what is known of it."""
        visits, settings = self._visits, handler.account
        name, now = settings.name, visits.clock().timestamp()
        standing = self._known(name)
        budget = visits.owned.take(settings, standing, now)
        if name in self._seen:
            # Whoever changed the settings wants to see at once whether they are better.
            standing = msgspec.structs.replace(standing, failures=0, open_until=0.0)
        self._seen.add(name)
        account = AccountPolling(handler, visits.clock, visits.alarms, visits.rng, budget, standing)
        budget.keep_first((lambda: self._kept(name)) if _is_rare(settings) else None)
        self._accounts[name] = account
        return account

    def drop(self, account: AccountPolling) -> None:
        """Keep nothing more of an account; what is kept stays for whoever serves it next."""
        account.end_alarms()
        self._accounts.pop(account.name, None)
        self._written.pop(account.name, None)
        self._due.pop(account.name, None)
        self._visits.owned.leave(account.name)
        self._visits.caller.forget(account.name)

    def visited(self, account: AccountPolling, now: float, *, quietly: bool) -> None:
        """Have a commit hold an account's standing: a visit ended; ``quietly`` if uneventful."""
        name = account.name
        written = self._written.get(name)
        if written is None:
            written = self._written[name] = _Written.of(account, -_UNWRITTEN_FOR, 0)
        taken = account.budget.taken
        is_much = taken > written.too_many
        self._is_much |= is_much
        if (
            is_much
            or not quietly
            or taken >= written.many
            or not written.at <= now < written.at + _UNWRITTEN_FOR
        ):
            self._due[name] = None
        elif not written.waits:
            written.waits = True
            self._later.append((now + _UNWRITTEN_FOR, name))

    def check(self, now: float) -> None:
        """Have the next commit hold what has waited for long enough."""
        while self._later and self._later[0][0] <= now:
            _, name = self._later.popleft()
            written = self._written.get(name)
            if written is not None and written.waits:
                self._due[name] = None

    @property
    def are_changed(self) -> bool:
        """Tell whether there is anything to commit."""
        return bool(self._due or self._asking)

    @property
    def are_pressing(self) -> bool:
        """Tell whether a call waits for a commit, or too many were made since the last."""
        return self._is_much or bool(self._asking)

    def write(self, now: float) -> None:
        """Have the commit that comes now hold the standings, and the calls that wait for it."""
        asking, self._asking = self._asking, []
        due, self._due = self._due, {}
        for name in {**due, **{name: None for name, _ in asking}}:
            self._write(name, now)
        self._noted += [kept for _, kept in asking]
        self._is_much = False

    def committed(self) -> None:
        """Let the calls go on that waited: all that was noted is committed."""
        noted, self._noted = self._noted, []
        for kept in noted:
            if not kept.done():
                kept.set_result(None)

    def _write(self, name: str, now: float) -> None:
        account = self._accounts.get(name)
        if account is None:
            return
        told = self._visits.caller.clock_skew(name)
        standing = msgspec.structs.replace(
            account.standing(now),
            clock_skew=self._known(name).clock_skew if told is None else told,
            process=self._visits.owned.process,
        )
        self._watchlist.set_note(standing_key(name), standing.encode())
        self._written[name] = _Written.of(account, now, account.budget.taken)

    async def _kept(self, name: str) -> None:
        kept = asyncio.get_running_loop().create_future()
        self._asking.append((name, kept))
        self._wake()
        await kept

    def _known(self, name: str) -> Standing:
        key = standing_key(name)
        try:
            return Standing.decode(self._watchlist.note(key))
        except msgspec.MsgspecError:
            log.exception("the standing of an account cannot be read, and begins anew", key=key)
            return Standing()


def _is_rare(account: AccountSettings) -> bool:
    return account.calls_per.total_seconds() >= _RARE * account.calls
