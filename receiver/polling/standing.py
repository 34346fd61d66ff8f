"""An account's standing with its provider, as its next owner must know it.

It is kept in the watchlist beside the account's watches. Times are seconds since 1970.
"""

import msgspec

from receiver.registration.signs import ACCOUNT


class Stop(msgspec.Struct, array_like=True, frozen=True):
    """Calls are made no more: the provider refused ``credentials`` (a fingerprint) for good."""

    credentials: str
    why: str
    at: float


class Standing(msgspec.Struct, array_like=True, frozen=True):
    """What the account has spent and suffered.

    ``spent`` are pairs of a time and how many calls were made up to then since the pair before.
    ``failures`` and ``open_until`` are the breaker's. ``token`` is encrypted with a key that only
    those have who know the account's credentials. ``clock_skew`` is how many seconds the provider's
    clock is ahead of ours, None if it never told. ``heard_at`` is the last good answer. ``failed``
    is the fingerprint of the credentials that met the ``failures``; ``process`` names the process
    that wrote all this.
    """

    spent: tuple[tuple[float, int], ...] = ()
    failures: int = 0
    open_until: float = 0.0
    stop: Stop | None = None
    token: bytes | None = None
    token_expires_at: float | None = None
    warnings: dict[str, float] = {}
    clock_skew: float | None = None
    heard_at: float | None = None
    failed: str | None = None
    process: str | None = None

    def encode(self) -> bytes:
        """Return the standing as the watchlist topic holds it."""
        return _encoder.encode(self)

    @staticmethod
    def decode(raw: bytes | None) -> "Standing":
        """Return the standing in a watchlist record, that of a newcomer where there is none.

        Raises:
            msgspec.MsgspecError: the record is none.
        """
        return Standing() if raw is None else _decoder.decode(raw)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Standing)


def standing_key(account: str) -> str:
    """Return the key of an account's standing in the watchlist."""
    return f"{account}/{ACCOUNT}/standing"
