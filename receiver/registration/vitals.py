"""Vitals: what the signs of an account's webhooks add up to. Times are seconds since 1970."""

import msgspec

from receiver.registration.signs import ACCOUNT, Failure, Missed, Order

MOST_ARRIVALS = 60
"""The arrivals that are remembered, the latest of them."""

UNKNOWN = "(unknown)"
"""The topic under which failures are kept whose own there is no room for."""


class TopicVitals(msgspec.Struct, array_like=True, frozen=True):
    """How the webhooks of one topic fare.

    ``alive_at`` is when a webhook last told something new. ``missed`` are the facts that were told
    by a reconciliation only, so far, and ``failures`` the undeliverable ones since ``alive_at``;
    both hold the latest, and ``more_missed`` and ``more_failures`` count what they have no room
    for, ``more_failures`` none from before ``more_since``. ``tries`` has the times of all failures
    by the digest of their body, whatever was delivered meanwhile.
    """

    alive_at: float | None = None
    missed: tuple[Missed, ...] = ()
    more_missed: int = 0
    failures: tuple[Failure, ...] = ()
    more_failures: int = 0
    more_since: float | None = None
    tries: dict[str, tuple[float, ...]] = {}


class Vitals(msgspec.Struct, array_like=True, frozen=True):
    """What is known of one account's webhooks, kept in the watchlist beside its watches.

    ``arrivals`` are the latest arrivals that a registration of ours may explain, ``delays`` the
    latest from the provider's own time to the webhook's arrival, in seconds. ``keys`` says when
    something new was last signed with which key. ``orders`` are the latest, done or not.
    """

    topics: dict[str, TopicVitals] = {}
    arrivals: tuple[float, ...] = ()
    delays: tuple[float, ...] = ()
    keys: dict[str, float] = {}
    orders: tuple[Order, ...] = ()

    def encode(self) -> bytes:
        """Return the vitals as the watchlist topic holds them."""
        return _encoder.encode(self)

    @staticmethod
    def decode(raw: bytes | None) -> "Vitals":
        """Return the vitals in a watchlist record, nothing known where there is none.

        Raises:
            msgspec.MsgspecError: the record is none.
        """
        return Vitals() if raw is None else _decoder.decode(raw)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Vitals)


def vitals_key(account: str) -> str:
    """Return the key of an account's vitals in the watchlist."""
    return f"{account}/{ACCOUNT}/vitals"
