"""What the ledger remembers of a resource, and the bytes in which it does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import msgspec

from handlers.fact import RANKS, OrderKey


class Published(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One published fact, as the ledger remembers it. Times are microseconds since 1970."""

    id: bytes
    action: str
    occurred_at: int | None
    observed_at: int
    minor_units: int | None
    silent: bool = False
    """Whether it gave no event, because it may have given one that was since forgotten."""
    unannounced: bool = False
    """Whether a webhook should have told of it, and none has so far."""


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
            yield (ranks[fact.action], moment(fact.occurred_at), fact.id)

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

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Microseconds: TypeAlias = int


def microseconds(moment: datetime) -> Microseconds:
    """Return a time as the ledger's records hold it: microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: Microseconds | None) -> datetime:
    """Return the time that a record holds, the beginning of all time where it holds none."""
    if microseconds is None:
        return datetime.min.replace(tzinfo=UTC)
    return _EPOCH + timedelta(microseconds=microseconds)
