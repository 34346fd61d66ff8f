"""The ledger's rules: which facts are new, and what publishing them does to a resource's entry."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import msgspec

from handlers.fact import CREATIONS, RANKS, Fact, OrderKey, Reading

CLOCK_SKEW = timedelta(seconds=5)
"""How far the clocks of two replicas may differ before a live read counts as later than a fact."""


class Published(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One published fact, as the ledger remembers it. Times are microseconds since 1970."""

    id: bytes
    action: str
    occurred_at: int | None
    observed_at: int
    minor_units: int | None


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """All that was published of one resource, in the order of publication."""

    kind: str
    published: tuple[Published, ...] = ()

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

    ``duplicates`` counts the asserted facts that had been published before.
    """

    entry: Entry
    publications: tuple[Publication, ...]
    duplicates: int


def settle(entry: Entry | None, reading: Reading, observed_at: datetime) -> Settlement:
    """Compare a reading with the ledger: publish the facts that are new, in natural order."""
    entry = entry or Entry(reading.resource.kind)
    known = {fact.id for fact in entry.published}
    asserted = sorted({fact.id: fact for fact in reading.facts}.values(), key=lambda f: f.order_key)
    publications: list[Publication] = []
    for fact in asserted:
        if fact.id.bytes in known:
            continue
        publication, entry = _publish(entry, fact, asserted, reading, observed_at)
        publications.append(publication)
    return Settlement(entry, tuple(publications), len(asserted) - len(publications))


def contradiction(entry: Entry | None, reading: Reading, observed_at: datetime) -> str | None:
    """Say how a live read contradicts what was published before it was made; None if it does not.

    A webhook is never asked about: it may be the replay of an old body. An amount contradicts only
    another amount: a provider that states none, then or now, denies nothing.
    """
    if entry is None:
        return None
    asserted = {fact.id.bytes for fact in reading.facts}
    horizon = _microseconds(observed_at - CLOCK_SKEW)
    minor_units = reading.amount.minor_units if reading.amount else None
    for fact in entry.published:
        if fact.observed_at > horizon:
            continue
        if fact.action in reading.denied and fact.id not in asserted:
            return f"{fact.action} was published, and the provider now shows otherwise"
        was, now = fact.minor_units, minor_units
        if fact.id in asserted and None not in (was, now) and was != now:
            return f"{fact.action} was published with {was} minor units, and now there are {now}"
    return None


def _publish(
    entry: Entry, fact: Fact, asserted: list[Fact], reading: Reading, observed_at: datetime
) -> tuple[Publication, Entry]:
    later = [other for other in asserted if other.rank > fact.rank]
    inferred = fact.action in CREATIONS and bool(later)
    implied_by = later[0].occurred_at if inferred else None
    remembered = Published(
        id=fact.id.bytes,
        action=fact.action,
        occurred_at=None if fact.occurred_at is None else _microseconds(fact.occurred_at),
        observed_at=_microseconds(observed_at),
        minor_units=reading.amount.minor_units if reading.amount else None,
    )
    after = Entry(entry.kind, (*entry.published, remembered))
    publication = Publication(
        fact=fact,
        sequence=len(after.published),
        status=after.status or fact.action,
        previous_status=entry.status,
        inferred=inferred,
        late=any(key > fact.order_key for key in entry.order_keys()),
        time=fact.occurred_at or implied_by or observed_at,
    )
    return publication, after


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Microseconds: TypeAlias = int


def _microseconds(moment: datetime) -> _Microseconds:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: _Microseconds | None) -> datetime:
    if microseconds is None:
        return datetime.min.replace(tzinfo=UTC)
    return _EPOCH + timedelta(microseconds=microseconds)
