"""The ledger's rules: which facts are new, and what publishing them does to a resource's entry.

Entries can be forgotten (``ledger.retention``). The ledger then has a **horizon**, a time that
never goes back, and no fact is published twice all the same, whoever tells of it again, whenever:

1. An entry is forgotten only when each of its facts occurred, and was observed, before the horizon
   (:func:`is_forgettable`).
2. So what was published and then forgotten is, ever after, dated before the horizon or not dated.
   An entry made later keeps the horizon of that moment (:attr:`Entry.since`): what is dated after
   it cannot be among the forgotten, and is new if the entry does not have it.
3. What is not dated is new only if the resource came into being after :attr:`Entry.since`: then
   nothing of it was ever forgotten. Its birth is the provider's date of a fact of the lowest rank.
4. Anything else is in doubt, and never published (:func:`settle`).

What is history (:mod:`handlers.history`) is never published either, nor withheld: it is entered
silently, and again if it was forgotten.

No clock is asked: a clock only moves the horizon, and a wrong one costs events, which are withheld,
but repeats none. It is assumed of providers that they date a fact once and for all, all facts of
the lowest rank alike, and no resource later than they first show it.

Beside that the ledger remembers which facts no webhook has announced so far, though one should have
(:attr:`Published.unannounced`). That decides nothing about events.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final

import msgspec

from handlers.clock import from_microseconds, microseconds
from handlers.entry import Entry, Published
from handlers.fact import CREATIONS, RANKS, Fact, OrderKey, Reading
from handlers.history import ImportSince

__all__ = [
    "Entry",
    "Publication",
    "Published",
    "Settlement",
    "is_forgettable",
    "settle",
]

_ORDER = attrgetter("order_key")
_RANK: Final = 0
_OCCURRED_AT: Final = 1
_ID: Final = 2
"""Where an order key has what: to look there is quicker than to ask the fact."""


class Publication(msgspec.Struct, frozen=True, gc=False):
    """A new fact with its place in the resource's story: what an event says beyond the reading.

    ``time`` is when it happened as far as anyone knows: the time of the fact if it has one, else of
    the fact that implied it, else when it was observed.
    """

    fact: Fact
    sequence: int
    status: str
    previous_status: str | None
    inferred: bool
    late: bool
    time: datetime


class Settlement(msgspec.Struct, frozen=True, gc=False):
    """What follows from one reading: the entry as it is then, and what is to be published.

    ``duplicates`` counts the asserted facts that had been published before. ``withheld`` are those
    that may have been published and forgotten, and that no event tells of or implies. ``announced``
    are those that were unannounced until now: the entry says so no more. ``history`` are those that
    were entered because they are history.
    """

    entry: Entry
    publications: tuple[Publication, ...]
    duplicates: int
    withheld: tuple[Fact, ...] = ()
    announced: tuple[Fact, ...] = ()
    history: Collection[Fact] = ()


def settle(
    entry: Entry | None,
    reading: Reading,
    observed_at: datetime,
    horizon: datetime | None = None,
    *,
    announces: Collection[Fact] = (),
    unannounced: Collection[Fact] = (),
    import_since: ImportSince | None = None,
) -> Settlement:
    """Compare a reading with the ledger: publish the facts that are new, in natural order.

    ``horizon`` is the ledger's, None while nothing was ever forgotten. A fact in doubt is entered
    without an event if one that comes after it is published, since that one implies it; else it is
    withheld, and not entered.

    ``announces`` are the facts that a webhook tells of here. Of ``unannounced``, which are facts
    that a webhook should have shown first, those published now are remembered as such.
    ``import_since`` is None where the account's whole past gives events.
    """
    if entry is None:
        entry = Entry(reading.resource.kind, (), None if horizon is None else microseconds(horizon))
    asserted = new = _in_order(reading.facts)
    announced: tuple[Fact, ...] = ()
    if entry.published:
        if announces:
            entry, announced = _announce(entry, asserted, announces)
        known = {fact.id for fact in entry.published}
        new = [fact for fact in asserted if fact.order_key[_ID] not in known]
    duplicates = len(asserted) - len(new)
    if not new:
        return Settlement(entry, (), duplicates, (), announced)
    silent: Collection[Fact] = ()
    withheld: tuple[Fact, ...] = ()
    history = () if import_since is None else import_since.history(entry, reading, new)
    doubtful = _doubtful(entry, new, asserted)
    if doubtful or history:
        new, silent, withheld = _without_events(new, doubtful, history)
    published, publications = list(entry.published), []
    sequence, last, status = _so_far(entry)
    observed_us = microseconds(observed_at)
    minor_units = reading.amount.minor_units if reading.amount else None
    for fact in new:
        order, action, occurred_at = fact.order_key, fact.action, fact.occurred_at
        is_silent = fact in silent
        published.append(
            Published(
                order[_ID],
                action,
                None if occurred_at is None else order[_OCCURRED_AT],
                observed_us,
                minor_units,
                is_silent,
                not is_silent and fact in unannounced,
            )
        )
        before, is_late = status, last is not None and last > order
        if not is_late:
            last, status = order, action
        if not is_silent:
            sequence += 1
            implied_by = _implied_by(fact, asserted) if action in CREATIONS else None
            implied_at = None if implied_by is None else implied_by.occurred_at
            publications.append(
                Publication(
                    fact,
                    sequence,
                    status or action,
                    before,
                    implied_by is not None,
                    is_late,
                    occurred_at or implied_at or observed_at,
                )
            )
    entry = Entry(entry.kind, tuple(published), entry.since)
    return Settlement(entry, tuple(publications), duplicates, withheld, announced, history)


def is_forgettable(entry: Entry, horizon: datetime) -> bool:
    """Tell whether all of an entry happened and was observed before ``horizon``.

    A fact that is dated in the future keeps its entry until that date has passed, too.
    """
    limit = microseconds(horizon)
    return all(
        fact.observed_at < limit and (fact.occurred_at is None or fact.occurred_at < limit)
        for fact in entry.published
    )


def _in_order(facts: Sequence[Fact]) -> Sequence[Fact]:
    """Return facts in natural order, each once."""
    before = -1
    for fact in facts:
        rank = fact.order_key[_RANK]
        if rank <= before:
            return sorted({fact.order_key[_ID]: fact for fact in facts}.values(), key=_ORDER)
        before = rank
    # Nearly always they were so.
    return facts


def _doubtful(entry: Entry, new: Sequence[Fact], asserted: Sequence[Fact]) -> Collection[Fact]:
    """Return which of the ``new`` facts may have been published and forgotten."""
    if entry.since is None:
        return ()
    since = from_microseconds(entry.since)
    ranks = RANKS[entry.kind]
    lowest = min(ranks.values())
    births = [fact.occurred_at for fact in asserted if fact.rank == lowest]
    births += [
        from_microseconds(fact.occurred_at)
        for fact in entry.published
        if ranks[fact.action] == lowest and fact.occurred_at is not None
    ]
    born_since = any(birth is not None and birth >= since for birth in births)
    return frozenset(
        fact
        for fact in new
        if (not born_since if fact.occurred_at is None else fact.occurred_at < since)
    )


def _without_events(
    new: Sequence[Fact], doubtful: Collection[Fact], history: Collection[Fact]
) -> tuple[Sequence[Fact], Collection[Fact], tuple[Fact, ...]]:
    """Return which of the ``new`` facts to enter, which of them silently, and which to withhold."""
    silent = {*doubtful, *history}
    latest = max((fact.order_key for fact in new if fact not in silent), default=None)
    withheld = tuple(
        fact
        for fact in new
        if fact in doubtful and fact not in history and (latest is None or fact.order_key >= latest)
    )
    return [fact for fact in new if fact not in withheld], silent, withheld


def _so_far(entry: Entry) -> tuple[int, OrderKey | None, str | None]:
    """Return how many events there were, and place and action of the last fact in the order."""
    if not entry.published:
        return 0, None, None
    sequence = sum([not fact.silent for fact in entry.published])
    return sequence, *(entry.last or (None, None))


def _announce(
    entry: Entry, asserted: Sequence[Fact], announces: Collection[Fact]
) -> tuple[Entry, tuple[Fact, ...]]:
    """Return the entry after a webhook told of facts, and those that were unannounced before."""
    waiting = {fact.id for fact in entry.published if fact.unannounced}
    announced = tuple(fact for fact in asserted if fact.raw_id in waiting and fact in announces)
    if not announced:
        return entry, ()
    told = {fact.raw_id for fact in announced}
    published = tuple(
        msgspec.structs.replace(fact, unannounced=False) if fact.id in told else fact
        for fact in entry.published
    )
    return msgspec.structs.replace(entry, published=published), announced


def _implied_by(fact: Fact, asserted: Sequence[Fact]) -> Fact | None:
    """Return the first of the later facts that imply a creation; None if none does."""
    rank = fact.order_key[_RANK]
    for other in asserted:
        if other.order_key[_RANK] > rank:
            return other
    return None
