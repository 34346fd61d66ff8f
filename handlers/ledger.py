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
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import msgspec

from handlers.fact import CREATIONS, RANKS, Fact, OrderKey, Reading


class Published(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One published fact, as the ledger remembers it. Times are microseconds since 1970."""

    id: bytes
    action: str
    occurred_at: int | None
    observed_at: int
    minor_units: int | None
    silent: bool = False
    """Whether it gave no event, because it may have given one that was since forgotten."""


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """All that was published of one resource, in the order of publication.

    ``since`` is the ledger's horizon at the time when the entry was made, in microseconds since
    1970: an older entry of the same resource may have been forgotten then. None if nothing had been
    forgotten yet.
    """

    kind: str
    published: tuple[Published, ...] = ()
    since: int | None = None

    def order_keys(self) -> Iterator[OrderKey]:
        """Yield each published fact's place in the natural order."""
        ranks = RANKS[self.kind]
        for fact in self.published:
            yield (ranks[fact.action], _moment(fact.occurred_at), fact.id)

    @property
    def status(self) -> str | None:
        """Return the action of the last published fact in the natural order, None before any."""
        if not self.published:
            return None
        _, last = max(zip(self.order_keys(), self.published, strict=True), key=lambda pair: pair[0])
        return last.action

    def encode(self) -> bytes:
        """Return the entry as the ledger topic holds it."""
        return _encoder.encode(self)

    @staticmethod
    def decode(raw: bytes) -> "Entry":
        """Return the entry in a ledger record.

        Raises:
            msgspec.MsgspecError: the record is not a ledger entry.

        """
        return _decoder.decode(raw)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry)


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
    that may have been published and forgotten, and that no event tells of or implies.
    """

    entry: Entry
    publications: tuple[Publication, ...]
    duplicates: int
    withheld: tuple[Fact, ...] = ()


def settle(
    entry: Entry | None,
    reading: Reading,
    observed_at: datetime,
    horizon: datetime | None = None,
) -> Settlement:
    """Compare a reading with the ledger: publish the facts that are new, in natural order.

    ``horizon`` is the ledger's, None while nothing was ever forgotten. A fact in doubt is entered
    without an event if one that comes after it is published, since that one implies it; else it is
    withheld, and not entered.
    """
    entry = entry or Entry(
        reading.resource.kind, since=None if horizon is None else microseconds(horizon)
    )
    known = {fact.id for fact in entry.published}
    asserted = sorted({fact.id: fact for fact in reading.facts}.values(), key=lambda f: f.order_key)
    new = [fact for fact in asserted if fact.id.bytes not in known]
    doubtful = _doubtful(entry, new, asserted)
    last = max((fact.order_key for fact in new if fact not in doubtful), default=None)
    publications: list[Publication] = []
    withheld: list[Fact] = []
    for fact in new:
        if fact not in doubtful:
            publication, entry = _publish(entry, fact, asserted, reading, observed_at)
            publications.append(publication)
        elif last is not None and fact.order_key < last:
            entry = _enter(entry, fact, reading, observed_at, silent=True)
        else:
            withheld.append(fact)
    duplicates = len(asserted) - len(new)
    return Settlement(entry, tuple(publications), duplicates, tuple(withheld))


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
    since = _moment(entry.since)
    ranks = RANKS[entry.kind]
    lowest = min(ranks.values())
    births = [fact.occurred_at for fact in asserted if fact.rank == lowest]
    births += [
        _moment(fact.occurred_at)
        for fact in entry.published
        if ranks[fact.action] == lowest and fact.occurred_at is not None
    ]
    born_since = any(birth is not None and birth >= since for birth in births)
    return frozenset(
        fact
        for fact in new
        if (not born_since if fact.occurred_at is None else fact.occurred_at < since)
    )


def _enter(
    entry: Entry, fact: Fact, reading: Reading, observed_at: datetime, *, silent: bool = False
) -> Entry:
    remembered = Published(
        id=fact.id.bytes,
        action=fact.action,
        occurred_at=None if fact.occurred_at is None else microseconds(fact.occurred_at),
        observed_at=microseconds(observed_at),
        minor_units=reading.amount.minor_units if reading.amount else None,
        silent=silent,
    )
    return msgspec.structs.replace(entry, published=(*entry.published, remembered))


def _publish(
    entry: Entry, fact: Fact, asserted: list[Fact], reading: Reading, observed_at: datetime
) -> tuple[Publication, Entry]:
    later = [other for other in asserted if other.rank > fact.rank]
    inferred = fact.action in CREATIONS and bool(later)
    implied_by = later[0].occurred_at if inferred else None
    after = _enter(entry, fact, reading, observed_at)
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


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Microseconds: TypeAlias = int


def microseconds(moment: datetime) -> Microseconds:
    """Return a time as the ledger's records hold it: microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: Microseconds | None) -> datetime:
    if microseconds is None:
        return datetime.min.replace(tzinfo=UTC)
    return _EPOCH + timedelta(microseconds=microseconds)
