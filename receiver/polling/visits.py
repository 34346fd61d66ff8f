"""One visit to a provider: ask, hand on what changed, and say how the watch goes on."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

import msgspec
import structlog

from handlers.clock import Clock
from handlers.exchange import ProviderFailure
from handlers.observation import CONFIRMED, Observation, Origin
from handlers.provider import Discovery, Ending, Handler, Polled, Resource, Watch
from receiver.alarms import Alarms
from receiver.inbox import Inbox, TooLarge
from receiver.polling.account import AccountPolling
from receiver.polling.breaker import backoff
from receiver.polling.caller import Caller
from receiver.polling.entry import WatchEntry

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_APPENDS_AT_ONCE = 200
_REFUTED_ONCE = "refuted once"


@dataclass(slots=True)
class Outcome:
    """What a visit came to: each visited watch as it is now, None where it is over."""

    account: AccountPolling
    visited: Mapping[str, WatchEntry]
    entries: dict[str, WatchEntry | None]
    discovered: Sequence[Discovery] = ()
    failure: ProviderFailure | None = None


@dataclass(frozen=True, slots=True)
class Visits:
    """Makes visits. What changed is in the inbox before a visit returns."""

    inbox: Inbox
    caller: Caller
    alarms: Alarms
    clock: Clock
    rng: Random = field(default_factory=Random)

    async def poll(
        self, account: AccountPolling, watch: Watch, key: str, entry: WatchEntry
    ) -> Outcome:
        """Read what is watched and hand on what is new or changed.

        Raises:
            NotDurable: the inbox did not take it; nothing of the visit counts.
        """
        asked_at = self.clock()
        settings = account.handler.account
        age = asked_at - datetime.fromtimestamp(entry.created_at, asked_at.tzinfo)
        try:
            conversation = account.handler.poll(watch, age, account.session)
            polled = await self.caller.converse(settings, conversation, account.budget)
        except ProviderFailure as error:
            return self._failed(account, {key: entry}, error)
        except Exception as error:
            log.exception("a watch could not be read", watch=key)
            return self._failed(account, {key: entry}, ProviderFailure(repr(error)))
        fresh, seen = entry.unseen(polled.resources)
        await self._hand_on(account.handler, fresh, Origin.POLL, asked_at)
        after = self._after(account, key, entry, polled, seen)
        return Outcome(account, {key: entry}, {key: after}, polled.discovered)

    async def look_up(self, account: AccountPolling, entries: Mapping[str, WatchEntry]) -> Outcome:
        """Ask about claims, hand on what was found, and give each claim's observations a verdict.

        A claim must be refuted twice, a poll interval apart: a listing may lag behind a webhook.

        Raises:
            NotDurable: the inbox did not take it; nothing of the visit counts.
        """
        asked_at = self.clock()
        settings = account.handler.account
        claims = {key: entry.claim for key, entry in entries.items() if entry.claim is not None}
        try:
            conversation = account.handler.look_up(list(claims.values()), account.session)
            found = await self.caller.converse(settings, conversation, account.budget)
        except ProviderFailure as error:
            return await self._look_up_failed(account, entries, error)
        except Exception as error:
            log.exception("a look-up failed", account=settings.name)
            return await self._look_up_failed(account, entries, ProviderFailure(repr(error)))
        await self._hand_on(account.handler, found.resources, Origin.LOOKUP, asked_at)
        after: dict[str, WatchEntry | None] = {}
        for key, claim in claims.items():
            entry = entries[key]
            why = found.refuted.get(claim)
            if why is not None and entry.status != _REFUTED_ONCE:
                after[key] = msgspec.structs.replace(
                    entry,
                    status=_REFUTED_ONCE,
                    last_polled_at=asked_at.timestamp(),
                    next_poll_at=asked_at.timestamp() + settings.poll_interval.total_seconds(),
                )
                continue
            await self._give_verdict(entry, CONFIRMED if why is None else why)
            after[key] = None
        return Outcome(account, entries, after)

    async def _hand_on(
        self, handler: Handler, resources: Sequence[Resource], origin: Origin, asked_at: datetime
    ) -> None:
        name = handler.account.name
        for start in range(0, len(resources), _APPENDS_AT_ONCE):
            appends = []
            for resource in resources[start : start + _APPENDS_AT_ONCE]:
                observation = Observation(name, origin, resource.topic, asked_at, resource.body)
                key = handler.inbox_key(resource.topic, resource.body)
                appends.append(self._append(key, observation))
            # Each is awaited even when another fails, so that none is left behind unheard.
            for outcome in await asyncio.gather(*appends, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome

    async def _append(self, key: str, observation: Observation) -> None:
        try:
            await self.inbox.append(key, observation)
        except TooLarge as error:
            self.alarms.sound(
                observation.account,
                "resource-too-large",
                why=f"{observation.topic}: {error}",
                remedy="look at the resource at the provider: it cannot become an event",
            )

    async def _give_verdict(self, entry: WatchEntry, verdict: str) -> None:
        for original in entry.originals:
            observation = original.observation()
            # What was confirmed needs another look only to clear the dead letter it was.
            if verdict != CONFIRMED or observation.letter_id is not None:
                await self._append(original.key, replace(observation, verdict=verdict))

    def _after(
        self, account: AccountPolling, key: str, entry: WatchEntry, polled: Polled, seen: bytes
    ) -> WatchEntry | None:
        now = self.clock().timestamp()
        settings = account.handler.account
        if polled.ending == Ending.DONE:
            return None
        if polled.ending is not None:
            log.warning("a watch ended", watch=key, ending=polled.ending)
            return msgspec.structs.replace(
                entry, state=polled.ending, last_polled_at=now, status=polled.status, error=None
            )
        pace = entry.pace if polled.pace is None else polled.pace
        pause = settings.poll_interval.total_seconds() * pace * self.rng.uniform(0.9, 1.1)
        return msgspec.structs.replace(
            entry,
            last_polled_at=now,
            next_poll_at=now + pause,
            failures=0,
            pace=pace,
            status=polled.status,
            error=None,
            seen=seen,
        )

    def _failed(
        self, account: AccountPolling, entries: Mapping[str, WatchEntry], error: ProviderFailure
    ) -> Outcome:
        now = self.clock().timestamp()
        longest = account.handler.account.backoff_max.total_seconds()
        after: dict[str, WatchEntry | None] = {
            key: msgspec.structs.replace(
                entry,
                last_polled_at=now,
                failures=entry.failures + 1,
                next_poll_at=now + backoff(entry.failures + 1, longest, self.rng),
                error=str(error)[:300],
            )
            for key, entry in entries.items()
        }
        return Outcome(account, entries, after, failure=error)

    async def _look_up_failed(
        self, account: AccountPolling, entries: Mapping[str, WatchEntry], error: ProviderFailure
    ) -> Outcome:
        outcome = self._failed(account, entries, error)
        oldest = self.clock() - account.handler.account.watch_max_age
        for key, entry in entries.items():
            if entry.created_at < oldest.timestamp():
                await self._give_verdict(entry, f"the provider could not be asked: {error}")
                outcome.entries[key] = None
        return outcome
