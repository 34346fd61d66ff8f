"""History: what happened before the day from which an account's facts give events.

That day is the account's ``import_since``. What is older goes into the ledger silently, without an
event or a number, whoever tells of it: so what happens to an old resource later goes on from there.

1. A **dated** fact is history if it is dated before the day. That depends on nothing else, so no
   order of arrival and no second telling changes it, whatever the ledger has forgotten. Only where
   its date is no more than that of the resource's creation, it is new if a listing shows it of a
   resource that the ledger remembers without it: a charge of before the day that succeeds later.
2. An **undated** fact of the lowest rank, a creation, is history if anything of the resource is
   dated before the day: it came before that.
3. Any other undated fact is history only where a listing showed it, of a resource that came into
   being before the day: by the provider's date of that (:attr:`Reading.created_at`), else because
   the window ended before the day (:attr:`Observation.created_before`). And nothing may show that
   it happened since: neither that the listing was read before, on the day or later
   (:attr:`Observation.news_since`), nor, of what is no creation, that the ledger remembers the
   resource without it, or may have forgotten what was read on the day or later.
4. What a webhook or a look-up shows undated is new: something happened, or they had not been sent.
5. Nothing is history of a resource that gave an event before the day: it was published when the
   account had no such day, or an earlier one, and its consumers wait for what comes next.

To lose an event silently is worse than to publish an old fact, so whatever is not covered by these
is published. One doubt is decided the other way: the first listing shows a cancellation or a void,
undated, of what was created before the day, and it may have happened between the day and that
listing. To publish it would be to publish those of the whole history, which is what the day is set
to prevent; and a webhook that tells of it later repeats what is known. Whoever sets the day to that
of the first start, and has all read at once, leaves only hours to this doubt.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from handlers.clock import from_microseconds, microseconds
from handlers.entry import Entry, Published
from handlers.fact import RANKS, Fact, Reading
from handlers.observation import Observation, Origin

_LISTINGS = (Origin.POLL, Origin.RECONCILIATION)


class ImportSince(msgspec.Struct, frozen=True, gc=False):
    """An account's day, and what one observation tells of when undated facts happened.

    ``day`` is its midnight. ``is_listed`` says that the observation is part of a listing, which
    shows whatever there is; the two times are the observation's.
    """

    day: datetime
    is_listed: bool = False
    created_before: datetime | None = None
    news_since: datetime | None = None

    @classmethod
    def of(cls, day: datetime, observation: Observation) -> "ImportSince":
        """Return what ``observation`` tells."""
        return cls(
            day,
            observation.origin in _LISTINGS,
            observation.created_before,
            observation.news_since,
        )

    def history(self, entry: Entry, reading: Reading, new: Sequence[Fact]) -> Collection[Fact]:
        """Return which of the ``new`` facts of a reading are history.

        ``entry`` is the resource's, with the horizon that it has or gets.
        """
        day = microseconds(self.day)
        if any(fact.observed_at < day and not fact.silent for fact in entry.published):
            return ()
        lowest = min(RANKS[entry.kind].values())
        is_older = self._is_older(entry, reading)
        is_listed_as_old = self._is_listed_as_old(reading)
        is_known = bool(entry.published)
        # A reading of before the horizon may be forgotten. What came since is then in doubt anyway,
        # which ends in a dead letter: not silently.
        horizon = entry.since
        may_be_known = is_known or (horizon is not None and horizon > day)
        undatable = reading.created_at if is_known and self.is_listed else None
        found = []
        for fact in new:
            if fact.occurred_at is not None:
                is_history = fact.occurred_at < self.day and fact.occurred_at != undatable
            elif fact.rank == lowest:
                is_history = is_older or is_listed_as_old
            else:
                is_history = is_listed_as_old and not may_be_known
            if is_history:
                found.append(fact)
        return frozenset(found)

    def _is_older(self, entry: Entry, reading: Reading) -> bool:
        """Tell whether anything of the resource is dated before the day."""
        dates = [fact.occurred_at for fact in reading.facts if fact.occurred_at is not None]
        dates += [
            from_microseconds(fact.occurred_at)
            for fact in entry.published
            if fact.occurred_at is not None
        ]
        return any(date < self.day for date in dates)

    def _is_listed_as_old(self, reading: Reading) -> bool:
        """Tell whether a listing shows what came into being before the day, and for the first time.

        A window ends, with its overlap, before the day; a date lies before it.
        """
        if not self.is_listed or (self.news_since is not None and self.news_since >= self.day):
            return False
        if reading.created_at is not None:
            return reading.created_at < self.day
        return self.created_before is not None and self.created_before <= self.day


class Silence(StrEnum):
    """Why a fact was entered in the ledger without an event."""

    HISTORY = "history"
    """It is from before the account's ``import_since``, as that was then."""
    FORGOTTEN = "forgotten"
    """It may have been published and forgotten since; one after it was published."""
    EITHER = "history-or-forgotten"
    """The ledger does not tell which of the two."""


def silence(entry: Entry, fact: Published, day: datetime | None) -> Silence:
    """Say why the silent ``fact`` of ``entry`` gave no event; ``day`` is the account's, if set.

    What may have been forgotten is entered only where there was a horizon, and beside a fact that
    was published then. The day may have been another one when the fact was entered.
    """
    implying = any(
        each.observed_at == fact.observed_at and not each.silent for each in entry.published
    )
    if entry.since is None or not implying:
        return Silence.HISTORY
    if day is None:
        return Silence.FORGOTTEN
    if fact.occurred_at is None:
        return Silence.EITHER
    is_before = fact.occurred_at < microseconds(day)
    return Silence.HISTORY if is_before else Silence.FORGOTTEN
