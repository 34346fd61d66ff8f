"""One account's polling: its budget, its breaker, its session, and what waits for them."""

import asyncio
from datetime import UTC, datetime
from random import Random

from handlers.clock import Clock
from handlers.exchange import AccountFailed, CallFailed, ProviderFailure, Refused, RefusedForGood
from handlers.provider import Handler, Session
from receiver.care.known import Asked
from receiver.observability.alarms import Alarms
from receiver.polling.account_alarms import AccountAlarms
from receiver.polling.breaker import Breaker
from receiver.polling.budget import Budget
from receiver.polling.provider_warnings import Warnings
from receiver.polling.sealing import Seal, fingerprint
from receiver.polling.standing import Standing, Stop
from receiver.polling.waiting import Waiting

_CALLS_FAILED = 3
_NOW = 0.001
"""Seconds within which a call need not wait: clocks that are compared differ by as much."""


class AccountPolling:
    """What all watches of an account share. It lives in one shard, so no other lock is needed.

    ``budget`` is the account's own from before: the calls made still count. ``standing`` is what
    else is known from before, by this owner or another.

    With thousands of accounts, what a visit looks up of one is not at hand for the processor: so
    all of it is close together here, and nothing is looked up that need not be.
    """

    __slots__ = (
        "_alarms",
        "_calls_failed",
        "_concurrency",
        "_fingerprint",
        "_heard_at",
        "_is_trying",
        "_per",
        "_seal",
        "_warnings",
        "breaker",
        "budget",
        "handler",
        "interval",
        "is_served",
        "kept_back",
        "name",
        "session",
        "settings",
        "stop",
        "under_way",
        "waiting",
    )

    def __init__(
        self,
        handler: Handler,
        clock: Clock,
        alarms: Alarms,
        rng: Random,
        budget: Budget | None = None,
        standing: Standing | None = None,
    ) -> None:
        settings = handler.account
        self.name = settings.name
        self.settings = settings
        self.interval = settings.poll_interval.total_seconds()
        """Seconds between two polls of a watch whose pace is 1."""
        self.handler = handler
        self.session = Session(clock)
        calls, per = settings.calls, settings.calls_per.total_seconds()
        self.budget = budget or Budget(calls, per, monotonic=asyncio.get_running_loop().time)
        self.budget.allow(calls, per)
        self._per = per
        longest, shortest = settings.backoff_max, settings.backoff_min
        self.breaker = Breaker(longest.total_seconds(), rng, shortest.total_seconds())
        self.waiting = Waiting([watch.key for watch in handler.watches()])
        self.under_way = 0
        self.kept_back = 0
        """Calls that are kept for the guard of the registration, which waits for them."""
        self.is_served = True
        """Whether it is polled for: until it is dropped, or served anew with other settings."""
        self._concurrency = settings.concurrency
        self.stop: Stop | None = None
        self._is_trying = False
        self._calls_failed = 0
        self._heard_at: float | None = None
        self._alarms = AccountAlarms(self.name, alarms)
        self._fingerprint: str | None = None
        self._seal = Seal(settings)
        self._warnings = Warnings({})
        if standing is not None:
            self._resume(standing, clock().timestamp())

    @property
    def is_well(self) -> bool:
        """Tell whether the last that was heard of the account as a whole is good."""
        return self.breaker.failures == 0 and self.stop is None

    @property
    def is_busy(self) -> bool:
        """Tell whether as many visits are under way as may be: the end of one makes room."""
        under_way = self.under_way
        return under_way >= self._concurrency or (under_way > 0 and not self.is_well)

    def may_start(self, now: float) -> bool:
        """Tell whether another watch may be polled at ``now``; after a failure, one at a time.

        None is where its first call would wait: whatever is more urgent could not overtake it.
        """
        if self.is_busy or self.breaker.is_open(now):
            return False
        if self.stop is not None and not self._is_trying:
            return False
        return self.budget.wait_for(self.under_way + self._calls_to_start) < _NOW

    def may_start_at(self, now: float) -> float | None:
        """Return when a watch may be polled if nothing happens before; None if that is never."""
        if self.stop is not None and not self._is_trying:
            return None
        return max(self.breaker.open_until, now + self.budget.wait_for(self._calls_to_start))

    @property
    def _calls_to_start(self) -> int:
        """Return how many calls there must be for the next visit to start."""
        return 1 if self.waiting.begins_with_registration else 1 + self.kept_back

    def try_again(self, now: float) -> None:
        """Have one visit try at once, although calls have stopped or rest after a failure."""
        self._is_trying = self.stop is not None
        self.breaker.try_now(now)

    def succeeded(self, now: float) -> None:
        """Note that the provider answered as it should."""
        self._calls_failed = 0
        self._heard_at = now
        if not self.breaker.is_closed:
            self.breaker.succeed(now)
        if self._is_trying:
            self.stop, self._is_trying = None, False
        if self._alarms.any and self.is_well:
            self._alarms.well()
        self._take_warnings(now)

    def failed(self, error: ProviderFailure, now: float) -> None:
        """Note a failure; open the breaker where it concerns the account as a whole.

        A single call without an answer may be one slow resource; several in a row are the provider.
        """
        self._is_trying = False
        self._calls_failed = self._calls_failed + 1 if isinstance(error, CallFailed) else 0
        if isinstance(error, Refused):
            self.session.forget()
            self.breaker.fail(now, longest=True)
            if isinstance(error, RefusedForGood):
                self.stop = Stop(self._credentials, str(error), now)
                self._alarms.stopped(self.stop)
            elif self.stop is None:
                self._alarms.refused(str(error))
        elif isinstance(error, AccountFailed) or self._calls_failed >= _CALLS_FAILED:
            self.breaker.fail(now)
            self._alarms.away(str(error))
        self._take_warnings(now)

    def check_waiting(self, now: float) -> None:
        """Tell a person if the budget is too small: if what is due waits for a whole period."""
        since = self.waiting.since
        if since is None:
            if self._alarms.any:
                self._alarms.enough()
            return
        # What waited for the provider to be well again did not wait for the budget.
        waited = now - max(since, self.breaker.open_until)
        if waited <= self._per or self.stop is not None or self.breaker.is_open(now):
            self._alarms.enough()
        else:
            self._alarms.exhausted(self.budget.calls, self._per)

    def standing(self, now: float) -> Standing:
        """Return what the account's next owner must know, as far as it is known here."""
        token, expires_at = self.session.token, self.session.expires_at
        return Standing(
            spent=self.budget.spent(now),
            failures=self.breaker.failures,
            open_until=self.breaker.open_until,
            stop=self.stop,
            token=None if token is None else self._seal.close(token),
            token_expires_at=None if expires_at is None else expires_at.timestamp(),
            warnings=self._warnings.heard,
            heard_at=self._heard_at,
            failed=None if self.breaker.is_closed else self._credentials,
        )

    def asked(self) -> Asked:
        """Return how the provider is asked, for people."""
        return Asked(
            self.budget.used(),
            self.budget.calls,
            self._per,
            answered_at=self._heard_at,
            failures=self.breaker.failures,
            rests_until=self.breaker.open_until,
            stopped=None if self.stop is None else self.stop.why,
        )

    def end_alarms(self) -> None:
        """End what was sounded here: it is no longer ours to tell."""
        self._alarms.end()

    @property
    def _credentials(self) -> str:
        # It takes long, and is needed only after failures.
        if self._fingerprint is None:
            self._fingerprint = fingerprint(self.settings)
        return self._fingerprint

    def _resume(self, standing: Standing, now: float) -> None:
        if standing.failures and standing.failed == self._credentials:
            self.breaker.resume(standing.failures, standing.open_until, now)
        if standing.stop is not None and standing.stop.credentials == self._credentials:
            self.stop = standing.stop
            self._alarms.stopped(self.stop)
        if standing.token is not None:
            self.session.token = self._seal.open(standing.token)
            expires_at = standing.token_expires_at
            if self.session.token is not None and expires_at is not None:
                self.session.expires_at = datetime.fromtimestamp(expires_at, UTC)
        self._heard_at = standing.heard_at
        self._warnings = Warnings(standing.warnings)
        self._take_warnings(now)

    def _take_warnings(self, now: float) -> None:
        if self.session.warnings or self._warnings.heard:
            self._warnings.take(self.session.warnings, now)
            self._alarms.warned(self._warnings.heard)
