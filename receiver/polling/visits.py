"""One visit to a provider: ask, hand on what changed, and say how the watch goes on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import msgspec
import structlog

from handlers.clock import Clock
from handlers.exchange import ProviderFailure
from handlers.observation import CONFIRMED, Origin
from handlers.provider import Ending, Polled, Watch
from receiver.inbox import Inbox
from receiver.observability.alarms import Alarms
from receiver.polling.account import AccountPolling
from receiver.polling.caller import Caller
from receiver.polling.entry import ACTIVE, WatchEntry
from receiver.polling.guard import Guard, Seen
from receiver.polling.handover import Handover
from receiver.polling.outcome import Outcome, failed
from receiver.polling.owned import OwnedAccounts
from receiver.registration.reach import Reach
from receiver.registration.registered import told
from receiver.watches.requests import Original

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_REFUTED_ONCE = "refuted once"
_LONGEST_STATUS = 100


@dataclass(frozen=True, slots=True)
class Visits:
    """Makes visits. What changed is in the inbox before a visit returns.

    ``public_url`` and ``reach`` are the guard's, see :class:`~receiver.polling.guard.Guard`.
    """

    inbox: Inbox
    caller: Caller
    alarms: Alarms
    clock: Clock
    rng: Random = field(default_factory=Random)
    owned: OwnedAccounts = field(default_factory=OwnedAccounts)
    public_url: str | None = None
    reach: Reach | None = None

    @property
    def guard(self) -> Guard:
        """Return the guard of the accounts' registrations."""
        return Guard(self.caller, self.clock, self.public_url, self.reach)

    async def poll(self, account: AccountPolling, watch: Watch, entry: WatchEntry) -> Outcome:
        """Read what is watched and hand on what is new or changed.

        Raises:
            NotDurable: the inbox did not take it; nothing of the visit counts.
        """
        asked_at = self.clock()
        settings = account.settings
        age = asked_at - datetime.fromtimestamp(entry.created_at, asked_at.tzinfo)
        try:
            conversation = account.handler.poll(watch, age, account.session, entry.memory)
            polled = await self.caller.converse(settings, conversation, account.budget)
        except ProviderFailure as error:
            return self._failed(account, {watch.key: entry}, error)
        except Exception as error:
            log.exception("a watch could not be read", watch=watch.key)
            return self._failed(account, {watch.key: entry}, ProviderFailure(repr(error)))
        fresh, seen = entry.unseen(polled.resources)
        if fresh:
            await self._handover.hand_on(
                account.handler,
                fresh,
                polled.origin,
                asked_at,
                polled.news_since,
                polled.created_before,
            )
        after = self._after(account, watch, entry, polled, seen)
        is_news = bool(fresh) or after is None or after.state != ACTIVE or entry.failures > 0
        return Outcome({watch.key: after}, polled.discovered, is_news=is_news)

    async def look_after(
        self, account: AccountPolling, watch: Watch, entry: WatchEntry, seen: Seen
    ) -> Outcome:
        """Look after the account's subscriptions at its provider."""
        registration = account.handler.registration
        if registration is None:
            return Outcome({watch.key: None}, asked=False)
        try:
            look = await self.guard.visit(account, seen)
        except Exception as error:
            log.exception("a registration could not be looked after", watch=watch.key)
            return self._failed(account, {watch.key: entry}, ProviderFailure(repr(error)))
        remembered = msgspec.structs.replace(
            entry,
            memory=look.registered.encode(),
            status=told(look.registered, registration.topics),
        )
        if look.failure is not None:
            outcome = self._failed(account, {watch.key: remembered}, look.failure)
            outcome.sweeps = look.sweeps
            return outcome
        after = msgspec.structs.replace(
            remembered,
            last_polled_at=self.clock().timestamp(),
            next_poll_at=look.next_at,
            failures=0,
            error=None,
        )
        return Outcome({watch.key: after}, sweeps=look.sweeps, asked=look.asked)

    async def look_up(self, account: AccountPolling, entries: Mapping[str, WatchEntry]) -> Outcome:
        """Ask about claims, hand on what was found, and give each claim's observations a verdict.

        A claim must be refuted twice, a poll interval apart: a listing may lag behind a webhook.

        Raises:
            NotDurable: the inbox did not take it; nothing of the visit counts.
        """
        asked_at = self.clock()
        settings = account.settings
        claims = {key: entry.claim for key, entry in entries.items() if entry.claim is not None}
        try:
            conversation = account.handler.look_up(list(claims.values()), account.session)
            found = await self.caller.converse(settings, conversation, account.budget)
        except ProviderFailure as error:
            return await self._look_up_failed(account, entries, error)
        except Exception as error:
            log.exception("a look-up failed", account=settings.name)
            return await self._look_up_failed(account, entries, ProviderFailure(repr(error)))
        confirmed = [key for key, claim in claims.items() if claim not in found.refuted]
        await self._handover.hand_on(
            account.handler,
            found.resources,
            Origin.LOOKUP,
            asked_at,
            claimed=_topics(entries[key] for key in confirmed),
        )
        after: dict[str, WatchEntry | None] = {}
        for key, claim in claims.items():
            entry = entries[key]
            why = found.refuted.get(claim)
            if why is not None and entry.status != _REFUTED_ONCE:
                now = self.clock().timestamp()
                after[key] = msgspec.structs.replace(
                    entry,
                    status=_REFUTED_ONCE,
                    last_polled_at=now,
                    next_poll_at=now + settings.poll_interval.total_seconds(),
                    failures=0,
                    error=None,
                )
            else:
                await self._handover.give_verdict(
                    entry.originals, CONFIRMED if why is None else why
                )
                after[key] = None
        return Outcome(after)

    async def give_up(self, originals: Sequence[Original]) -> None:
        """Have claims refuted unasked for which a look-up has no room: they can be redriven later.

        Raises:
            NotDurable: not all of them are in the inbox.
        """
        await self._handover.give_verdict(originals, "too many others claim the same")

    @property
    def _handover(self) -> Handover:
        return Handover(self.inbox, self.alarms)

    def _after(
        self,
        account: AccountPolling,
        watch: Watch,
        entry: WatchEntry,
        polled: Polled,
        seen: bytes,
    ) -> WatchEntry | None:
        now = self.clock().timestamp()
        # A provider's word may be of any length; an entry must fit into one Kafka record.
        status = None if polled.status is None else polled.status[:_LONGEST_STATUS]
        if polled.ending == Ending.DONE:
            return None
        if polled.ending is not None:
            log.warning("a watch ended", watch=watch.key, ending=polled.ending)
            return msgspec.structs.replace(
                entry, state=polled.ending, last_polled_at=now, status=status, error=None
            )
        pace = entry.pace if polled.pace is None else polled.pace
        pause = account.interval * pace * self.rng.uniform(0.9, 1.1)
        return msgspec.structs.replace(
            entry,
            last_polled_at=now,
            next_poll_at=now + pause,
            failures=0,
            pace=pace,
            status=status,
            error=None,
            seen=seen,
            memory=entry.memory if polled.memory is None else polled.memory,
        )

    def _failed(
        self, account: AccountPolling, entries: Mapping[str, WatchEntry], error: ProviderFailure
    ) -> Outcome:
        return failed(account.settings, entries, error, self.clock(), self.rng)

    async def _look_up_failed(
        self, account: AccountPolling, entries: Mapping[str, WatchEntry], error: ProviderFailure
    ) -> Outcome:
        outcome = self._failed(account, entries, error)
        oldest = self.clock() - account.settings.watch_max_age
        for key, entry in entries.items():
            if entry.created_at < oldest.timestamp():
                verdict = f"the provider could not be asked: {error}"
                await self._handover.give_verdict(entry.originals, verdict)
                outcome.entries[key] = None
        return outcome


def _topics(entries: Iterable[WatchEntry]) -> str | None:
    """Return the topics of the webhooks that had these looked up; None if there are none."""
    said = {one.observation().topic for entry in entries for one in entry.originals}
    return " ".join(sorted(topic for topic in said if topic and " " not in topic)) or None
