"""The guard: it looks after the subscriptions of an account, one call after another.

It is visited like a watch, by the one shard that has the account. What to do is judged in
:mod:`receiver.registration.moves`; here it is done.
"""

from dataclasses import dataclass

import msgspec
import structlog

from handlers.clock import Clock
from handlers.exchange import CallFailed, ProviderFailure
from handlers.registration import Registration, Step, StepFailed
from receiver.polling.account import AccountPolling
from receiver.polling.caller import Caller
from receiver.registration.aftermath import after_orders, after_reading, after_step, assumed
from receiver.registration.moves import Make, Move, Read, Rest, next_move
from receiver.registration.proof import failed, settled
from receiver.registration.reach import Reach
from receiver.registration.registered import Call, Registered
from receiver.registration.situation import Situation
from receiver.registration.sweeping import is_sweep_due
from receiver.registration.vitals import Vitals

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """What one visit of the guard came to: what it knows now, and when it goes on.

    ``sweeps`` says that all windows of the reconciliation are to be read again now.
    """

    registered: Registered
    next_at: float
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

    async def visit(
        self, account: AccountPolling, registration: Registration, memory: bytes, vitals: Vitals
    ) -> Look:
        """Look after an account's subscriptions, with one conversation at most."""
        before = Registered.decode(memory)
        now = self._now()
        pause = registration.check_interval.total_seconds()
        known = settled(before, vitals.arrivals, now, pause)
        if not registration.managed:
            known = assumed(known, registration.topics, now)
        sweeps = is_sweep_due(before, vitals, now, pause)
        known = msgspec.structs.replace(
            known,
            url=self.url(account.name) or "",
            looked_at=now,
            swept_at=now if sweeps or before.swept_at is None else before.swept_at,
        )
        move = next_move(self._situation(account.name, registration, known, vitals))
        try:
            known = await self._make(account, registration, known, vitals, move)
        except ProviderFailure as error:
            if isinstance(error, CallFailed):
                # It may have been done all the same.
                known = msgspec.structs.replace(known, listed_at=None)
            return Look(known, now, sweeps, error)
        situation = self._situation(account.name, registration, known, vitals)
        known = after_orders(situation)
        is_created_anew = _was_recreated(before, known)
        next_at = move.until if isinstance(move, Rest) else self._now()
        return Look(known, next_at, sweeps or is_created_anew)

    async def _make(
        self,
        account: AccountPolling,
        registration: Registration,
        known: Registered,
        vitals: Vitals,
        move: Move,
    ) -> Registered:
        match move:
            case Read():
                conversation = registration.read(account.session)
                found = await self.caller.converse(
                    account.handler.account, conversation, account.budget
                )
                return after_reading(known, found, self.url(account.name), self._now())
            case Make():
                situation = self._situation(account.name, registration, known, vitals)
                return await self._step(account, situation, move.step)
            case Rest():
                return known

    async def _step(self, account: AccountPolling, situation: Situation, step: Step) -> Registered:
        known, registration = situation.registered, situation.registration
        pause = registration.check_interval.total_seconds()

        def has_failed(why: str) -> Registered:
            one = failed(known.of(step.topic), why, self._now(), pause)
            return msgspec.structs.replace(known, topics={**known.topics, step.topic: one})

        unreachable = await self._why_unreachable()
        if unreachable is not None:
            return msgspec.structs.replace(has_failed(unreachable), unreachable=unreachable)
        began_at = self._now()
        bound = log.bind(account=account.name, step=step.action.value, topic=step.topic)
        try:
            id_ = await self.caller.converse(
                account.handler.account,
                registration.carry_out(step, account.session),
                account.budget,
            )
        except StepFailed as error:
            bound.warning("a step of the registration failed", why=str(error))
            # What it was planned by may be wrong.
            return msgspec.structs.replace(has_failed(str(error)), listed_at=None)
        bound.info("a step of the registration was made", why=step.why, url=step.url)
        return after_step(situation, step, id_, Call(step.action.value, began_at, self._now()))

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


def _was_recreated(before: Registered, after: Registered) -> bool:
    """Tell whether a topic that was deleted to be created anew has just been created."""
    return any(
        one.enabled_at is not None and before.of(topic).enabled_at is None and one.recreations
        for topic, one in after.topics.items()
    )
