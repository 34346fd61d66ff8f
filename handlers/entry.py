"""What the ledger remembers of a resource, and the bytes in which it does.

A router holds an entry for every resource there ever was, so each byte counts: a byte of head and
30 for each fact (:mod:`handlers.published`) make 31 and 61, which Python keeps in 64 and 96.

The head has the code of the kind, and tells what follows: :data:`_SINCE`, that the horizon comes
first; :data:`_WIDE`, which layout all of the facts have. Its topmost bit is never set, and always
is in the first byte of a MessagePack array, as which entries were written before: so the first byte
tells the two forms apart, for ever. What has no room in a layout is a MessagePack array still.
"""

import struct
from collections.abc import Iterator
from typing import Final

import msgspec

from handlers.fact import RANKS, UNDATED, OrderKey
from handlers.published import (
    DoesNotFit,
    Published,
    from_narrow,
    from_wide,
    to_narrow,
    to_wide,
)

__all__ = ["KINDS", "Entry", "Published"]

KINDS: Final = ("invoice", "order", "charge", "refund", "transfer", "transfer_request")
"""The kinds that have a code: their place here. As with facts: add to them, never change them."""

_CODES = {kind: code for code, kind in enumerate(KINDS)}
_CODE = 0x1F
_WIDE = 0x20
_SINCE = 0x40
_MESSAGE_PACK = 0x80
_HORIZON = struct.Struct("<q")


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """All that was published of one resource, in the order of publication.

    ``since`` is the ledger's horizon at the time when the entry was made, in microseconds since
    1970: an older entry of the same resource may have been forgotten then. None if nothing had been
    forgotten yet.
    """

    kind: str
    published: tuple[Published, ...] = ()
    since: int | None = None

    @property
    def is_unannounced(self) -> bool:
        """Tell whether it has a fact that a webhook should have told of, and none has so far."""
        return bool([fact for fact in self.published if fact.unannounced])

    def order_keys(self) -> Iterator[OrderKey]:
        """Yield each published fact's place in the natural order."""
        ranks = RANKS[self.kind]
        for fact in self.published:
            occurred_at = UNDATED if fact.occurred_at is None else fact.occurred_at
            yield (ranks[fact.action], occurred_at, fact.id)

    @property
    def last(self) -> tuple[OrderKey, str] | None:
        """Return place and action of the last published fact in the natural order, None before any.

        Ids differ, so that actions never decide.
        """
        last, action = None, ""
        for order, fact in zip(self.order_keys(), self.published, strict=True):
            if last is None or order > last:
                last, action = order, fact.action
        return None if last is None else (last, action)

    @property
    def status(self) -> str | None:
        """Return the action of the last published fact in the natural order, None before any."""
        return None if self.last is None else self.last[1]

    def encode(self) -> bytes:
        """Return the entry as the ledger topic holds it, and a router in memory."""
        try:
            return _compact(self)
        except DoesNotFit:
            return _encoder.encode(self)

    @staticmethod
    def decode(raw: bytes) -> "Entry":
        """Return the entry in a ledger record.

        Raises:
            msgspec.MsgspecError: the record is not a ledger entry.

        """
        try:
            is_compact = raw[0] & _MESSAGE_PACK == 0
            return _from_compact(raw) if is_compact else _decoder.decode(raw)
        except (struct.error, IndexError, UnicodeDecodeError) as error:
            raise msgspec.DecodeError(f"no ledger entry: {error}") from error


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry)


def _compact(entry: Entry) -> bytes:
    head, since = _CODES.get(entry.kind), entry.since
    if head is None:
        raise DoesNotFit
    horizon = b""
    if since is not None:
        head |= _SINCE
        try:
            horizon = _HORIZON.pack(since)
        except struct.error as error:
            raise DoesNotFit from error
    try:
        return bytes((head,)) + horizon + to_narrow(entry.published)
    except DoesNotFit:
        return bytes((head | _WIDE,)) + horizon + to_wide(entry.published)


def _from_compact(raw: bytes) -> Entry:
    head, since, facts_at = raw[0], None, 1
    if head & _SINCE:
        (since,) = _HORIZON.unpack_from(raw, 1)
        facts_at += _HORIZON.size
    published = (from_wide if head & _WIDE else from_narrow)(raw[facts_at:])
    return Entry(KINDS[head & _CODE], published, since)
