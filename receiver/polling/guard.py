"""The guard: it looks after the subscriptions of an account, one call after another.

It is visited like a watch, by the one shard that has the account. What to do is judged in
:mod:`receiver.registration.moves`; here it is done.
"""

from dataclasses import dataclass, replace

import msgspec
import structlog

from handlers.clock import Clock
from handlers.exchange import CallFailed, ProviderFailure
from handlers.registration import Action, Registration, Step, StepFailed
from receiver.polling.account import AccountPolling
from receiver.polling.caller import Caller
from receiver.registration.aftermath import (
    after_orders,
    after_probe_failed,
    after_reading,
    after_step,
    assumed,
    blaming,
    calmed,
    renewing,
    unreached,
)
from receiver.registration.moves import Make, Move, Probe, Read, Renew, Rest, next_move
from receiver.registration.probing import is_hearing_near
from receiver.registration.proof import failed, settled
from receiver.registration.reach import Reach
from receiver.registration.registered import PROBE, Call, Registered
from receiver.registration.situation import Situation
from receiver.registration.sweeping import (
    is_suspicion_due,
    is_sweep_due,
    noticing,
    swept_for_suspicion,
)
from receiver.registration.vitals import Vitals

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_CALLS_TO_RENEW = 4
"""Deleting, creating, and a listing and signing in between, if it goes wrong."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a visit begins with: what was known after the last, and what was told since.

    ``gap`` is for how many seconds nobody had the account before, at the first visit of whoever
    has it now; else None. It is 0 where the last owner's clock was ahead.
    """

    registered: Registered
    vitals: Vitals
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What one visit of the guard came to: what it knows now, and when it goes on.

    ``asked`` says whether the provider was called, ``sweeps`` that all windows of the
    reconciliation are to be read again now.
    """

    registered: Registered
    next_at: float
    asked: bool = False
    sweeps: bool = False
    failure: ProviderFailure | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """Makes the visits. ``public_url`` is where providers reach us; None if nobody said.

    Before a step that makes the provider call us, ``reach`` tells whether we can be called at all;
    None takes it for granted.
    """

    caller: Caller
    clock: Clock
    public_url: str | None
    reach: Reach | None

    def url(self, account: str) -> str | None:
        """Return where the webhooks of an account should arrive."""
        return None if self.public_url is None else f"{self.public_url}/webhooks/{account}"

    async def visit(self, account: AccountPolling, seen: Seen) -> Look:
        """Look after an account's subscriptions, with one conversation at most.

        Raises:
            LookupError: its provider calls nobody.
        """
        registration = account.handler.registration
        if registration is None:
            raise LookupError(f"{account.name} has no registration")
        before = seen.registered
        situation = self._situation(account.name, registration, before, seen.vitals)
        known = self._known(situation, seen.gap)
        situation = replace(situation, registered=known)
        move = next_move(situation)
        if _is_idle(situation, move) and is_suspicion_due(known, situation.now):
            known = swept_for_suspicion(known, situation.now)
        sweeps = known.swept_at != before.swept_at and before.swept_at is not None
        account.kept_back = _kept_back(known, move, account.kept_back)
        if isinstance(move, Renew | Probe):
            wait = account.budget.wait_for(_CALLS_TO_RENEW)
            if wait > 0:
                account.kept_back = _CALLS_TO_RENEW
            move = _if_affordable(situation, move, wait)
        asked = False
        try:
            match move:
                case Read():
                    asked = True
                    known = await self._read(account, situation)
                case Renew():
                    known = renewing(situation, move.topic)
                case Make() | Probe():
                    known, asked = await self._step(account, situation, move.step)
        except ProviderFailure as error:
            known = _after_failure(situation, move, error)
            return Look(known, situation.now, asked=True, sweeps=sweeps, failure=error)
        after = replace(situation, registered=known, now=self._now())
        known = after_orders(after)
        next_at = move.until if isinstance(move, Rest) else after.now
        return Look(known, next_at, asked, sweeps or _is_renewed(before, known))

    def _known(self, situation: Situation, gap: float | None) -> Registered:
        """Return what is known before anything is done, from what has come meanwhile."""
        registration, vitals, now = situation.registration, situation.vitals, situation.now
        before = situation.registered
        pause = registration.check_interval.total_seconds()
        known = before if gap is None else msgspec.structs.replace(before, taken_over_at=now)
        known = settled(known, vitals, now, pause)
        if not registration.managed:
            known = assumed(known, registration.topics, now)
        known = blaming(replace(situation, registered=known))
        known = calmed(replace(situation, registered=known))
        known = noticing(replace(situation, registered=known))
        sweeps = is_sweep_due(before, vitals, now, pause, gap or 0.0)
        return msgspec.structs.replace(
            known,
            url=situation.url or "",
            looked_at=now,
            swept_at=now if sweeps or before.swept_at is None else before.swept_at,
            is_unswept=known.is_unswept and not sweeps,
        )

    async def _read(self, account: AccountPolling, situation: Situation) -> Registered:
        conversation = situation.registration.read(account.session)
        found = await self.caller.converse(account.settings, conversation, account.budget)
        return after_reading(situation, found, self._now())

    async def _step(
        self, account: AccountPolling, situation: Situation, step: Step
    ) -> tuple[Registered, bool]:
        """Make a step; return what is known then, and whether the provider was called for it."""
        known, registration, order = situation.registered, situation.registration, situation.order
        one = known.of(step.topic)
        if order is not None:
            one = msgspec.structs.replace(one, order=order.id)
        unreachable = await self._why_unreachable()
        if unreachable is not None:
            return unreached(replace(situation, now=self._now()), unreachable), False
        began_at = self._now()
        bound = log.bind(account=account.name, step=step.action.value, topic=step.topic)
        conversation = registration.carry_out(step, account.session)
        try:
            id_ = await self.caller.converse(account.settings, conversation, account.budget)
        except StepFailed as error:
            bound.warning("a step of the registration failed", why=str(error))
            pause = registration.check_interval.total_seconds()
            is_probe = _is_probe(situation, step)
            if is_probe:
                known = after_probe_failed(situation, step.topic)
                one = known.of(step.topic)
            if not is_probe or one.proven_at is None:
                one = failed(one, str(error), self._now(), pause)
            # What it was planned by may be wrong.
            known = msgspec.structs.replace(known, listed_at=None)
            return known.with_topic(step.topic, one), True
        bound.info("a step of the registration was made", why=step.why, url=step.url)
        action = PROBE if _is_probe(situation, step) else step.action.value
        call = Call(action, began_at, self._now())
        return after_step(situation, step, id_, call), True

    async def _why_unreachable(self) -> str | None:
        if self.reach is None or self.public_url is None:
            return None
        return await self.reach(self.public_url)

    def _situation(
        self, account: str, registration: Registration, known: Registered, vitals: Vitals
    ) -> Situation:
        return Situation(registration, known, vitals, self.url(account), self._now())

    def _now(self) -> float:
        return self.clock().timestamp()


def _after_failure(situation: Situation, move: Move, error: ProviderFailure) -> Registered:
    """Return what is known when a move was not answered as it should have been."""
    known = situation.registered
    if isinstance(move, Make | Probe) and _is_probe(situation, move.step):
        known = after_probe_failed(situation, move.step.topic)
    if isinstance(error, CallFailed):
        # It may have been done all the same.
        known = msgspec.structs.replace(known, listed_at=None)
    return known


def _kept_back(known: Registered, move: Move, before: int) -> int:
    """Return how many calls are kept from others, who would take each as it comes free.

    From before a topic is deleted until it is created, so many are kept as that takes; the readings
    between change nothing of it.
    """
    if isinstance(move, Renew) or any(one.is_renewed for one in known.topics.values()):
        return _CALLS_TO_RENEW
    return before if isinstance(move, Read) else 0


def _if_affordable(situation: Situation, move: Move, wait: float) -> Move:
    """Return a move that has others follow, or a rest if there are calls for them in a while only.

    What is deleted must be created at once, not when there are calls again.
    """
    interval = situation.registration.check_interval.total_seconds()
    return Rest(situation.now + min(wait, interval)) if wait > 0 else move


def _is_probe(situation: Situation, step: Step) -> bool:
    """Tell whether a step is a test that nobody ordered."""
    return step.action is Action.TEST and situation.order is None


def _is_idle(situation: Situation, move: Move) -> bool:
    """Tell whether nothing can be done at the provider soon, and nothing is awaited from it."""
    topics = situation.registered.topics.values()
    is_at_rest = isinstance(move, Rest) and not any(one.call for one in topics)
    return is_at_rest and not is_hearing_near(situation)


def _is_renewed(before: Registered, after: Registered) -> bool:
    """Tell whether a topic that was deleted to be created anew has just been created."""
    return any(
        before.of(topic).is_renewed and not one.is_renewed and before.of(topic).id != one.id
        for topic, one in after.topics.items()
    )
