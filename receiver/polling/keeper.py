"""Keeping what is known of the accounts whose webhooks are looked after, and telling of it.

Signs come in from receivers and routers; the guard's memory says what was done. Both are judged
here, whether calls are possible or not: that they are not is when an alarm is needed most.
"""

from collections.abc import Mapping

import msgspec
import structlog

from handlers.provider import RECONCILIATION, Discovery, Handler, Watch
from handlers.registration import Registration
from receiver.care.known import Care
from receiver.observability.alarms import Alarms
from receiver.polling.guard import Guard, Seen
from receiver.polling.standing import Standing, standing_key
from receiver.polling.watchlist import Watchlist
from receiver.registration.registered import REGISTRATION, Registered
from receiver.registration.signs import Announced, Arrived, Order, Sign, Unannounced
from receiver.registration.situation import Situation
from receiver.registration.taking import taken
from receiver.registration.vitals import Vitals, vitals_key
from receiver.registration.worries import CODES, worries

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_JUDGED_EVERY = 10.0
"""Seconds between judgements while no sign comes: some worries come with time alone."""


class Keeper:
    """The accounts of one shard that have a registration."""

    def __init__(self, watchlist: Watchlist, guard: Guard, alarms: Alarms) -> None:
        self._watchlist = watchlist
        self._guard = guard
        self._alarms = alarms
        self._handlers: dict[str, Handler] = {}
        self._registrations: dict[str, Registration] = {}
        self._unjudged: set[str] = set()
        self._judged_at = 0.0
        self._served_at: dict[str, float] = {}
        self.is_awake = False
        """Whether the signs are known that were told before this shard had the accounts."""

    def serve(self, handler: Handler, now: float) -> None:
        """Look after an account that came or changed, if its provider calls us."""
        name, registration = handler.account.name, handler.registration
        if registration is None:
            self.drop(name)
            return
        self._handlers[name], self._registrations[name] = handler, registration
        self._unjudged.add(name)
        self._served_at.setdefault(name, now)
        key = _watch(name).key
        self._watchlist.discover(Discovery(_watch(name)), now)
        self._watchlist.hasten_one(key, now)

    def drop(self, name: str) -> None:
        """Look after an account no more."""
        if self._registrations.pop(name, None) is not None:
            del self._handlers[name]
            self._served_at.pop(name, None)
            self._unjudged.discard(name)
            self._end_alarms(name)

    def vitals(self, name: str) -> Vitals:
        """Return what the signs of an account add up to."""
        key = vitals_key(name)
        try:
            return Vitals.decode(self._watchlist.note(key))
        except msgspec.MsgspecError:
            log.exception("the vitals of an account cannot be read, and begin anew", key=key)
            return Vitals()

    def seen(self, name: str) -> Seen:
        """Return what a visit of the guard begins with, and have the account judged before it.

        The guard mends what it finds: nobody would ever be told of it.
        """
        self._unjudged.add(name)
        registered = self._registered(name)
        served_at = self._served_at.pop(name, None)
        gap = None
        if served_at is not None and registered.looked_at is not None:
            gap = max(0.0, served_at - registered.looked_at)
        return Seen(registered, self.vitals(name), gap)

    def take(self, sign: Sign, now: float) -> None:
        """Take a sign into account, and have the guard look at what it changes."""
        name = sign.account
        if isinstance(sign, Announced | Arrived):
            # A receiver's clock that is ahead must not make a webhook seem alive for all time.
            sign = msgspec.structs.replace(sign, received_at=min(sign.received_at, now))
        elif isinstance(sign, Order):
            # By the clock that tells when it is carried out, whatever the asker's says.
            sign = msgspec.structs.replace(sign, asked_at=now)
        elif isinstance(sign, Unannounced):
            facts = tuple(msgspec.structs.replace(fact, noticed_at=now) for fact in sign.facts)
            sign = msgspec.structs.replace(sign, facts=facts)
        self._watchlist.set_note(vitals_key(name), taken(self.vitals(name), sign).encode())
        self._unjudged.add(name)
        key = _watch(name).key
        if isinstance(sign, Order):
            self._watchlist.hasten_one(key, now)
        elif isinstance(sign, Arrived | Unannounced) and not self._watchlist.is_failing(key):
            # A stranger who sends an old webhook again must not cut a pause short.
            self._watchlist.hasten_one(key, now)

    def judge(self, now: float) -> None:
        """Keep the alarms true, as soon as it is known what was told."""
        if not self.is_awake:
            return
        if now - self._judged_at >= _JUDGED_EVERY or now < self._judged_at:
            self._judged_at = now
            self._unjudged.update(self._registrations)
        for name in self._unjudged & self._registrations.keys():
            self._judge(name, now)
        self._unjudged.clear()

    def sweep(self, name: str, now: float) -> None:
        """Have everything read again that a reconciliation of the account reads."""
        log.info("everything is read again, because webhooks may have been lost", account=name)
        self._watchlist.hasten(name, RECONCILIATION, now)

    def care(self) -> Mapping[str, Care]:
        """Return all that is known of each account."""
        return {name: self._care(name) for name in self._registrations}

    def end(self) -> None:
        """Look after nobody any more: another shard does."""
        for name in list(self._registrations):
            self.drop(name)

    def _judge(self, name: str, now: float) -> None:
        situation = Situation(
            self._registrations[name],
            self._registered(name),
            self.vitals(name),
            self._guard.url(name),
            now,
        )
        account = self._handlers[name].account
        present = {worry.code: worry for worry in worries(situation, account)}
        for code in CODES:
            worry = present.get(code)
            if worry is None:
                self._alarms.over(name, code)
            else:
                self._alarms.sound(name, code, why=worry.why, remedy=worry.remedy)

    def _registered(self, name: str) -> Registered:
        entry = self._watchlist.get(_watch(name).key)
        try:
            return Registered() if entry is None else Registered.decode(entry.memory)
        except msgspec.MsgspecError:
            log.exception("a registration cannot be read, and begins anew", account=name)
            return Registered()

    def _care(self, name: str) -> Care:
        try:
            standing = Standing.decode(self._watchlist.note(standing_key(name)))
        except msgspec.MsgspecError:
            # Whoever restores it has said so.
            standing = Standing()
        read_at = self._watchlist.reconciled_at.get(name)
        return Care(self._registered(name), self.vitals(name), standing, read_at)

    def _end_alarms(self, name: str) -> None:
        for code in CODES:
            self._alarms.over(name, code)


def _watch(name: str) -> Watch:
    return Watch(name, REGISTRATION, "")
