"""One account's polling: its budget, its breaker, its session, and what waits for them."""

import asyncio
from collections import deque
from random import Random

from handlers.clock import Clock
from handlers.exchange import AccountFailed, CallFailed, ProviderFailure, Refused
from handlers.provider import Handler, Session
from receiver.observability.alarms import Alarms
from receiver.polling.breaker import Breaker
from receiver.polling.budget import Budget

CREDENTIALS_REFUSED = "credentials-refused"
PROVIDER_AWAY = "provider-away"

PROVIDER_WARNS = "provider-warns"

_CALLS_FAILED = 3
_LONGEST_WARNING = 500


class AccountPolling:
    """What all watches of an account share. It lives in one shard, so no other lock is needed.

    ``budget`` is the account's own from before its settings changed: the calls made still count.
    """

    def __init__(
        self,
        handler: Handler,
        clock: Clock,
        alarms: Alarms,
        rng: Random,
        budget: Budget | None = None,
    ) -> None:
        settings = handler.account
        self.handler = handler
        self.session = Session(clock)
        calls, per = settings.calls, settings.calls_per.total_seconds()
        self.budget = budget or Budget(calls, per, monotonic=asyncio.get_running_loop().time)
        self.budget.allow(calls, per)
        self.breaker = Breaker(settings.backoff_max.total_seconds(), rng)
        self.waiting: deque[str] = deque()
        self.under_way = 0
        self._alarms = alarms
        self._calls_failed = 0

    @property
    def name(self) -> str:
        """Return the account's name."""
        return self.handler.account.name

    def may_start(self, now: float) -> bool:
        """Tell whether another watch may be polled at ``now``; after a failure, one at a time."""
        most = self.handler.account.concurrency if self.breaker.is_closed else 1
        return self.under_way < most and not self.breaker.is_open(now)

    def succeeded(self, now: float) -> None:
        """Note that the provider answered as it should."""
        self._calls_failed = 0
        self.breaker.succeed(now)
        if self.breaker.is_closed:
            self.end_alarms()
        self._tell_warnings()

    def failed(self, error: ProviderFailure, now: float) -> None:
        """Note a failure; open the breaker where it concerns the account as a whole.

        A single call without an answer may be one slow resource; several in a row are the provider.
        """
        self._calls_failed = self._calls_failed + 1 if isinstance(error, CallFailed) else 0
        if isinstance(error, Refused):
            self.session.forget()
            self.breaker.fail(now, longest=True)
            self._alarms.sound(
                self.name,
                CREDENTIALS_REFUSED,
                why=str(error),
                remedy="check the account's credentials in the configuration and at the provider",
            )
        elif isinstance(error, AccountFailed) or self._calls_failed >= _CALLS_FAILED:
            self.breaker.fail(now)
            self._alarms.sound(
                self.name,
                PROVIDER_AWAY,
                why=str(error),
                remedy="nothing, if the provider is known to be down: polling goes on by itself",
            )

    def _tell_warnings(self) -> None:
        # They stay until the process ends: a version that retires does not come back.
        if self.session.warnings:
            self._alarms.sound(
                self.name,
                PROVIDER_WARNS,
                why="; ".join(sorted(self.session.warnings))[:_LONGEST_WARNING],
                remedy="read the provider's announcement; a version that retires must be left",
            )

    def end_alarms(self) -> None:
        """End what was sounded here: all is well again, or is no longer ours to tell."""
        for code in (CREDENTIALS_REFUSED, PROVIDER_AWAY):
            self._alarms.over(self.name, code)
