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

No clock is asked: a clock only moves the horizon, and a wrong one costs events, which are withheld,
but repeats none. It is assumed of providers that they date a fact once and for all, all facts of
the lowest rank alike, and no resource later than they first show it.

Beside that the ledger remembers which facts no webhook has announced so far, though one should have
(:attr:`Published.unannounced`). That decides nothing about events.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import msgspec

from handlers.entry import Entry, Published, microseconds, moment
from handlers.fact import CREATIONS, RANKS, Fact, Reading

__all__ = [
    "Entry",
    "Publication",
    "Published",
    "Settlement",
    "is_forgettable",
    "microseconds",
    "settle",
]


@dataclass(frozen=True, slots=True)
class Publication:
    """A new fact with its place in the resource's story: what an event says beyond the reading.

    ``time`` is when it happened as far as anyone knows: the provider's time, for an inferred
    creation that of the fact which implied it, else when it was observed.
    """

    fact: Fact
    sequence: int
    status: str
    previous_status: str | None
    inferred: bool
    late: bool
    time: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """What follows from one reading: the entry as it is then, and what is to be published.

    ``duplicates`` counts the asserted facts that had been published before. ``withheld`` are those
    that may have been published and forgotten, and that no event tells of or implies. ``announced``
    are those that were unannounced until now: the entry says so no more.
    """

    entry: Entry
    publications: tuple[Publication, ...]
    duplicates: int
    withheld: tuple[Fact, ...] = ()
    announced: tuple[Fact, ...] = ()


def settle(
    entry: Entry | None,
    reading: Reading,
    observed_at: datetime,
    horizon: datetime | None = None,
    *,
    announces: Collection[Fact] = (),
    unannounced: Collection[Fact] = (),
) -> Settlement:
    """Compare a reading with the ledger: publish the facts that are new, in natural order.

    ``horizon`` is the ledger's, None while nothing was ever forgotten. A fact in doubt is entered
    without an event if one that comes after it is published, since that one implies it; else it is
    withheld, and not entered.

    ``announces`` are the facts that a webhook tells of here. Of ``unannounced``, which are facts
    that a webhook should have shown first, those published now are remembered as such.
    """
    entry = entry or Entry(
        reading.resource.kind, since=None if horizon is None else microseconds(horizon)
    )
    known = {fact.id for fact in entry.published}
    asserted = sorted({fact.id: fact for fact in reading.facts}.values(), key=lambda f: f.order_key)
    entry, announced = _announce(entry, [fact for fact in asserted if fact in announces])
    new = [fact for fact in asserted if fact.id.bytes not in known]
    doubtful = _doubtful(entry, new, asserted)
    last = max((fact.order_key for fact in new if fact not in doubtful), default=None)
    publications: list[Publication] = []
    withheld: list[Fact] = []
    for fact in new:
        if fact not in doubtful:
            publication, entry = _publish(
                entry, fact, asserted, reading, observed_at, unannounced=fact in unannounced
            )
            publications.append(publication)
        elif last is not None and fact.order_key < last:
            entry = _enter(entry, fact, reading, observed_at, silent=True)
        else:
            withheld.append(fact)
    duplicates = len(asserted) - len(new)
    return Settlement(entry, tuple(publications), duplicates, tuple(withheld), announced)


def is_forgettable(entry: Entry, horizon: datetime) -> bool:
    """Tell whether all of an entry happened and was observed before ``horizon``.

    A fact that is dated in the future keeps its entry until that date has passed, too.
    """
    limit = microseconds(horizon)
    return all(
        fact.observed_at < limit and (fact.occurred_at is None or fact.occurred_at < limit)
        for fact in entry.published
    )


def _doubtful(entry: Entry, new: list[Fact], asserted: list[Fact]) -> frozenset[Fact]:
    """Return which of the ``new`` facts may have been published and forgotten."""
    if entry.since is None:
        return frozenset()
    since = moment(entry.since)
    ranks = RANKS[entry.kind]
    lowest = min(ranks.values())
    births = [fact.occurred_at for fact in asserted if fact.rank == lowest]
    births += [
        moment(fact.occurred_at)
        for fact in entry.published
        if ranks[fact.action] == lowest and fact.occurred_at is not None
    ]
    born_since = any(birth is not None and birth >= since for birth in births)
    return frozenset(
        fact
        for fact in new
        if (not born_since if fact.occurred_at is None else fact.occurred_at < since)
    )


def _announce(entry: Entry, told_of: list[Fact]) -> tuple[Entry, tuple[Fact, ...]]:
    """Return the entry after a webhook told of facts, and those that were unannounced before."""
    waiting = {fact.id for fact in entry.published if fact.unannounced}
    announced = tuple(fact for fact in told_of if fact.id.bytes in waiting)
    if not announced:
        return entry, ()
    told = {fact.id.bytes for fact in announced}
    published = tuple(
        msgspec.structs.replace(fact, unannounced=False) if fact.id in told else fact
        for fact in entry.published
    )
    return msgspec.structs.replace(entry, published=published), announced


def _enter(
    entry: Entry,
    fact: Fact,
    reading: Reading,
    observed_at: datetime,
    *,
    silent: bool = False,
    unannounced: bool = False,
) -> Entry:
    remembered = Published(
        id=fact.id.bytes,
        action=fact.action,
        occurred_at=None if fact.occurred_at is None else microseconds(fact.occurred_at),
        observed_at=microseconds(observed_at),
        minor_units=reading.amount.minor_units if reading.amount else None,
        silent=silent,
        unannounced=unannounced,
    )
    return msgspec.structs.replace(entry, published=(*entry.published, remembered))


def _publish(
    entry: Entry,
    fact: Fact,
    asserted: list[Fact],
    reading: Reading,
    observed_at: datetime,
    *,
    unannounced: bool,
) -> tuple[Publication, Entry]:
    later = [other for other in asserted if other.rank > fact.rank]
    inferred = fact.action in CREATIONS and bool(later)
    implied_by = later[0].occurred_at if inferred else None
    after = _enter(entry, fact, reading, observed_at, unannounced=unannounced)
    publication = Publication(
        fact=fact,
        sequence=sum(not each.silent for each in after.published),
        status=after.status or fact.action,
        previous_status=entry.status,
        inferred=inferred,
        late=any(key > fact.order_key for key in entry.order_keys()),
        time=fact.occurred_at or implied_by or observed_at,
    )
    return publication, after
