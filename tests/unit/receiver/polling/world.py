"""All that a poller works with, put together around a scripted provider."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from config.account import AccountSettings
from handlers.fact import Claim
from handlers.observation import Observation, Origin
from handlers.provider import Provider
from receiver.accounts.registry import Accounts
from receiver.observability.alarms import Alarms
from receiver.polling.account import AccountPolling
from receiver.polling.poller import Poller
from receiver.polling.visits import Visits
from receiver.watches.requests import LookUp, Original, StartWatch

from .fakes import FakeInbox, FakeShard
from .scripted import ScriptedCaller, ScriptedProvider, bind

EPOCH = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def settings(name: str = "a", **changed: object) -> AccountSettings:
    """Return the settings of a scripted account, but for what is ``changed``."""
    given = {"name": name, "provider": "scripted", "base_url": "http://127.0.0.1:1", "calls": 10**6}
    return AccountSettings.model_validate({**given, **changed})


def accounts_of(*settings_of_all: AccountSettings) -> Accounts:
    """Return the accounts with these settings."""
    scripted = Provider("scripted", AccountSettings, bind, _no_sandbox)
    accounts = Accounts({"scripted": scripted})
    accounts.replace({each.name: each for each in settings_of_all})
    return accounts


def _no_sandbox() -> Any:
    raise AssertionError("a scripted provider has no sandbox")


def original(body: str = "{}", *, letter: str | None = None, account: str = "a") -> Original:
    """Return a webhook's observation, as a look-up keeps it."""
    observation = Observation(
        account, Origin.WEBHOOK, "topic", EPOCH, body.encode(), letter_id=letter
    )
    return Original.of("key", observation)


def look_up(id: str, *, body: str = "{}", account: str = "a") -> LookUp:  # noqa: A002
    """Return a request to look up whether the thing ``id`` was paid."""
    return LookUp(account, Claim("thing", "paid", "id", id), original(body, account=account))


def start(id: str, account: str = "a") -> StartWatch:  # noqa: A002
    """Return a request to watch the thing ``id``."""
    return StartWatch(account, "thing", id)


class World:
    """All that a poller works with, over the running loop's own time.

    Without any ``accounts`` there is one, called "a".
    """

    def __init__(self, *accounts: AccountSettings, seed: int = 7) -> None:
        self.accounts = accounts_of(*(accounts or [settings()]))
        self.alarms = Alarms(self.now)
        self.inbox = FakeInbox()
        self.provider = ScriptedProvider()
        self.rng = Random(seed)
        self.caller = ScriptedCaller(self.provider, self.alarms)
        self.visits = Visits(self.inbox, self.caller, self.alarms, self.now, self.rng)

    def now(self) -> datetime:
        """Return the time: the loop's, after the epoch."""
        return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())

    def timestamp(self) -> float:
        """Return the time in seconds since 1970."""
        return self.now().timestamp()

    def account(self, name: str = "a") -> AccountPolling:
        """Return an account's polling, as a shard has it."""
        handler = self.accounts.get(name)
        assert handler is not None
        return AccountPolling(handler, self.now, self.alarms, self.rng)

    def heir(self, *accounts: AccountSettings) -> "World":
        """Return another process at the same provider, which knows nothing of this one."""
        other = World(*accounts)
        other.provider = self.provider
        other.caller.ask(self.provider)
        return other

    def codes(self) -> set[tuple[str, str]]:
        """Return the alarms that are not over."""
        return {(alarm.account, alarm.code) for alarm in self.alarms.present}

    @asynccontextmanager
    async def polling(self, shard: FakeShard) -> AsyncIterator[Poller]:
        """Have a poller work on ``shard``, and return it; raises what ended it, if anything did."""
        passed = asyncio.get_running_loop().time
        poller = Poller(self.accounts, self.visits, monotonic=passed)
        work = asyncio.create_task(poller.work(shard))
        try:
            yield poller
        finally:
            work.cancel()
            await asyncio.wait([work])
        if not work.cancelled():
            work.result()
