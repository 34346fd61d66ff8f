"""A watch as the watchlist holds it."""

from collections.abc import Iterable
from hashlib import blake2b

import msgspec

from handlers.fact import Claim
from handlers.provider import Resource
from receiver.watches.requests import Original

ACTIVE = "active"
_DIGEST_BYTES = 16
_MOST_SEEN = 40_000
"""More would not fit into one Kafka record; what is left out is handed on at each visit."""


class WatchEntry(msgspec.Struct, array_like=True, frozen=True):
    """One watch. Times are seconds since 1970.

    ``state`` is :data:`ACTIVE` or why it ended. ``seen`` holds 16 bytes for each resource as it was
    last seen, so that only changes are handed on. ``claim`` and ``originals`` are a look-up's.
    ``memory`` is what the last visit left for the next.
    """

    created_at: float
    next_poll_at: float
    state: str = ACTIVE
    last_polled_at: float | None = None
    failures: int = 0
    pace: float = 1.0
    status: str | None = None
    error: str | None = None
    seen: bytes = b""
    claim: Claim | None = None
    originals: tuple[Original, ...] = ()
    memory: bytes = b""

    def encode(self) -> bytes:
        """Return the entry as the watchlist topic holds it."""
        return _encoder.encode(self)

    @staticmethod
    def decode(raw: bytes) -> "WatchEntry":
        """Return the entry in a watchlist record.

        Raises:
            msgspec.MsgspecError: the record is no watch.
        """
        return _decoder.decode(raw)

    def due_at(self, now: float) -> float:
        """Return when it is due: no later than the pause it was given, counted from ``now``.

        The clock may have been set back since, or be that of another machine.
        """
        began = self.created_at if self.last_polled_at is None else self.last_polled_at
        return min(self.next_poll_at, now + max(0.0, self.next_poll_at - began))

    def unseen(self, resources: Iterable[Resource]) -> tuple[list[Resource], bytes]:
        """Return the resources that are new or changed, and what ``seen`` is then."""
        known = {
            self.seen[start : start + _DIGEST_BYTES]
            for start in range(0, len(self.seen), _DIGEST_BYTES)
        }
        digests = {_digest(resource): resource for resource in resources}
        fresh = [resource for digest, resource in digests.items() if digest not in known]
        return fresh, b"".join(sorted(digests)[:_MOST_SEEN])


class Timing(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The beginning of a :class:`WatchEntry`: when it is due is looked up more often than all."""

    created_at: float
    next_poll_at: float
    state: str = ACTIVE

    @staticmethod
    def decode(raw: bytes) -> "Timing":
        """Return the timing of the entry in a watchlist record.

        Raises:
            msgspec.MsgspecError: the record is no watch.
        """
        return _timing_decoder.decode(raw)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(WatchEntry)
_timing_decoder = msgspec.msgpack.Decoder(Timing)


def _digest(resource: Resource) -> bytes:
    named = resource.topic.encode() + b"\x00" + resource.body
    return blake2b(named, digest_size=_DIGEST_BYTES).digest()
