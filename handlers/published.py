"""One published fact as the ledger remembers it, and the compact bytes in which it does.

There are two layouts, each of one length. The narrow one has room for what payments are like: seen
at a whole millisecond, dated by the provider to the second, of less than 167,772.14 of a currency
with two decimals. The wide one has room for nearly anything.

Codes and layouts are in ledgers that nobody rewrites: add to them, never change them.
"""

import struct
from collections.abc import Iterable
from typing import Final

import msgspec

ACTIONS: Final = (
    "created",
    "failed",
    "paid",
    "refunded",
    "cancelled",
    "declined",
    "succeeded",
    "updated",
    "voided",
    "requested",
    "confirmed",
)
"""The actions that have a code: their place here."""

_CODES = {action: code for code, action in enumerate(ACTIONS)}
_CODE = 0x3F
_SILENT = 0x40
_UNANNOUNCED = 0x80
_ID_BYTES = 16

_NARROW = struct.Struct("<B16sIHIHB")
"""Code and flags; id; observed at, 48 bits of milliseconds; occurred at, in seconds and one more;
minor units and one more, 24 bits. Of a number in two parts the low one comes first. The one more
leaves 0 to say that there is none."""
_MILLISECOND = 1_000
_SECOND = 1_000_000

_WIDE = struct.Struct("<B16sqqq")
"""Code and flags; id; observed at and occurred at, in microseconds; minor units."""
_NONE = -(1 << 63)


class DoesNotFit(Exception):
    """A layout has no room for what it is to hold."""


class Published(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One published fact, as the ledger remembers it. Times are microseconds since 1970."""

    id: bytes
    action: str
    occurred_at: int | None
    observed_at: int
    minor_units: int | None
    silent: bool = False
    """Whether it gave no event: it is history, or may have given one that was since forgotten."""
    unannounced: bool = False
    """Whether a webhook should have told of it, and none has so far."""


# The router packs and reads entries for each observation: so the four are loops without calls of
# functions of ours, which would double what they take.


def to_narrow(facts: Iterable[Published]) -> bytes:
    """Return facts in the narrow layout.

    Raises:
        DoesNotFit: it has no room for one of them.
    """
    packed = b""
    for fact in facts:
        seen, finer = divmod(fact.observed_at, _MILLISECOND)
        occurred_at, units = fact.occurred_at or 0, fact.minor_units or 0
        seconds, fraction = divmod(occurred_at, _SECOND)
        if finer or fraction or occurred_at < 0 or units < 0 or len(fact.id) != _ID_BYTES:
            raise DoesNotFit
        seconds += fact.occurred_at is not None
        units += fact.minor_units is not None
        try:
            packed += _NARROW.pack(
                _CODES[fact.action] | fact.silent * _SILENT | fact.unannounced * _UNANNOUNCED,
                fact.id,
                seen & 0xFFFF_FFFF,
                seen >> 32,
                seconds,
                units & 0xFFFF,
                units >> 16,
            )
        except (KeyError, struct.error) as error:
            raise DoesNotFit from error
    return packed


def to_wide(facts: Iterable[Published]) -> bytes:
    """Return facts in the wide layout.

    Raises:
        DoesNotFit: it has no room for one of them.
    """
    packed = b""
    for fact in facts:
        occurred_at, units = fact.occurred_at, fact.minor_units
        if _NONE in (occurred_at, units) or len(fact.id) != _ID_BYTES:
            raise DoesNotFit
        try:
            packed += _WIDE.pack(
                _CODES[fact.action] | fact.silent * _SILENT | fact.unannounced * _UNANNOUNCED,
                fact.id,
                fact.observed_at,
                _NONE if occurred_at is None else occurred_at,
                _NONE if units is None else units,
            )
        except (KeyError, struct.error) as error:
            raise DoesNotFit from error
    return packed


def from_narrow(raw: bytes) -> tuple[Published, ...]:
    """Return the facts in the narrow layout.

    Raises:
        struct.error: there are bytes too few or too many.
        IndexError: an action has a code that is not known here.
    """
    return tuple(
        [
            Published(
                fact_id,
                ACTIONS[what & _CODE],
                (seconds - 1) * _SECOND if seconds else None,
                (seen | seen_high << 32) * _MILLISECOND,
                (units | units_high << 16) - 1 if units or units_high else None,
                what & _SILENT != 0,
                what & _UNANNOUNCED != 0,
            )
            for what, fact_id, seen, seen_high, seconds, units, units_high in _NARROW.iter_unpack(
                raw
            )
        ]
    )


def from_wide(raw: bytes) -> tuple[Published, ...]:
    """Return the facts in the wide layout.

    Raises:
        struct.error: there are bytes too few or too many.
        IndexError: an action has a code that is not known here.
    """
    return tuple(
        [
            Published(
                fact_id,
                ACTIONS[what & _CODE],
                None if occurred_at == _NONE else occurred_at,
                observed_at,
                None if units == _NONE else units,
                what & _SILENT != 0,
                what & _UNANNOUNCED != 0,
            )
            for what, fact_id, observed_at, occurred_at, units in _WIDE.iter_unpack(raw)
        ]
    )
