"""Forgetting: what of a shard's ledger has lived out its retention, found by a slow walk.

No clock can make the ledger forget what it still needs: its horizon, which is kept here in the
ledger itself, sees to that (:mod:`handlers.ledger`). So that a clock set wrong does not cost
events either, it is as late as *two* clocks say at least: the router's own, and that of whoever
received the newest observation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog

from handlers.clock import Clock, from_rfc3339, rfc3339
from handlers.ledger import Entry, is_forgettable
from receiver.routing.known import Ledger
from receiver.routing.letters import is_count, is_count_older

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

HORIZON_KEY = b"\x00horizon"
"""The key of the ledger's horizon, beside the resources: what is older may be forgotten."""

SLICE = 500
"""How many keys are looked at in one step, and so may go in one transaction."""

_MARGIN = timedelta(hours=1)
"""How far two clocks may be apart: everything is kept for so much longer than its retention."""

_SHARE = 24
"""A short retention has a smaller margin: this part of it."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the ledger remembers resources, and the counts of dead letters; None is for ever."""

    entries: timedelta | None = None
    letters: timedelta | None = None


def margin(retention: timedelta) -> timedelta:
    """Return how much longer than ``retention`` everything is kept, as clocks differ."""
    return min(_MARGIN, retention / _SHARE)


def horizon_in(ledger: Ledger) -> datetime | None:
    """Return the ledger's horizon, None while nothing was ever to be forgotten."""
    raw = ledger.get(HORIZON_KEY)
    return None if raw is None else from_rfc3339(raw.decode())


class Expiry:
    """What one shard's ledger is to forget: it is told what time it is by the observations."""

    def __init__(self, retention: Retention, clock: Clock) -> None:
        self._retention = retention
        self._clock = clock
        self._newest: datetime | None = None
        self._waiting: list[bytes] = []
        self._next_walk: datetime | None = None

    @property
    def is_walking(self) -> bool:
        """Tell whether a walk is under way, so that the next step should not wait long."""
        return bool(self._waiting)

    def saw(self, received_at: datetime, ledger: Ledger) -> dict[bytes, bytes | None]:
        """Return how the horizon moves as an observation comes; empty if it stays where it is."""
        if self._newest is None or received_at > self._newest:
            self._newest = received_at
        retention = self._retention.entries
        if retention is None:
            return {}
        limit = self._limit(retention)
        if limit is None:
            return {}
        horizon = horizon_in(ledger)
        if horizon is not None and limit < horizon + margin(retention):
            return {}
        return {HORIZON_KEY: rfc3339(limit).encode()}

    def step(self, entries: Mapping[bytes, bytes]) -> list[bytes]:
        """Look at the next keys, :data:`SLICE` at most; return those to be forgotten.

        ``entries`` is the table as committed. A walk over all keys is begun when the last one was a
        margin ago.
        """
        if not self._waiting and not self._begin(entries):
            return []
        keys = self._waiting[-SLICE:]
        del self._waiting[-SLICE:]
        horizon = None if self._retention.entries is None else horizon_in(entries)
        letters = self._limit(self._retention.letters)
        return [key for key in keys if _is_over(key, entries.get(key), horizon, letters)]

    def _begin(self, entries: Mapping[bytes, bytes]) -> bool:
        kept = [each for each in (self._retention.entries, self._retention.letters) if each]
        if self._newest is None or not kept:
            return False
        pause = min(map(margin, kept))
        now = min(self._clock(), self._newest + pause)
        if self._next_walk is not None and now < self._next_walk:
            return False
        self._next_walk = now + pause
        self._waiting = list(entries)
        return bool(self._waiting)

    def _limit(self, retention: timedelta | None) -> datetime | None:
        """Return before when things have lived out ``retention``, None if nobody can say."""
        if retention is None or self._newest is None:
            return None
        allowed = margin(retention)
        try:
            return min(self._clock(), self._newest + allowed) - retention - allowed
        except OverflowError:
            # Longer than the calendar reaches back: for ever.
            return None


def _is_over(
    key: bytes, value: bytes | None, horizon: datetime | None, letters: datetime | None
) -> bool:
    if value is None:
        return False
    if is_count(key):
        return letters is not None and is_count_older(value, letters)
    if key == HORIZON_KEY or horizon is None:
        return False
    try:
        return is_forgettable(Entry.decode(value), horizon)
    except msgspec.MsgspecError:
        # Whoever needs it gets a dead letter; a walk over all must not end at it.
        log.warning(
            "a ledger entry cannot be read: it is kept", resource=key.decode(errors="replace")
        )
        return False
