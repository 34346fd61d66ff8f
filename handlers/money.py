"""Amounts of money and of cherries: exact, never a float."""

import re
from decimal import Decimal, InvalidOperation

import msgspec

from handlers.jsontext import Json, Unreadable

DECIMALS = {"CAD": 2, "USD": 2, "EUR": 2, "GBP": 2, "AUD": 2, "JPY": 0, "cherries": 0}
"""Currencies and how many decimals each has (ISO 4217; cherries are Voucherry's own unit)."""

_BEYOND_MEASURE = 10**15
_USUAL_DECIMALS = 2
_is_usual = re.compile(r"[0-9]{1,15}\.[0-9]{2}").fullmatch


class Amount(msgspec.Struct, frozen=True, gc=False):
    """So many minor units (cents; for cherries whole ones) of a currency. Never negative."""

    minor_units: int
    currency: str

    @property
    def value(self) -> str:
        """Return the amount in major units with all of the currency's decimals: ``"10.00"``."""
        decimals = DECIMALS[self.currency]
        if not decimals:
            return str(self.minor_units)
        digits = str(self.minor_units).zfill(decimals + 1)
        return f"{digits[:-decimals]}.{digits[-decimals:]}"


def from_major(value: Json, currency: str) -> Amount | None:
    """Return the amount that a provider states in major units (``"10.00"``, ``10``), None for null.

    Raises:
        Unreadable: no number, a negative or absurd one, or more decimals than the currency has.

    """
    decimals = DECIMALS[currency]
    if decimals == _USUAL_DECIMALS and isinstance(value, str) and _is_usual(value):
        # What nearly every amount looks like: its digits are its minor units.
        return Amount(int(value.replace(".", "")), currency)
    number = _number(value)
    if number is None:
        return None
    minor_units = _minor_units(number, decimals)
    if minor_units is None:
        msg = f"the amount {value!s:.40} has more decimals than {currency}"
        raise Unreadable(msg)
    return Amount(minor_units, currency)


def from_minor(value: Json, currency: str) -> Amount | None:
    """Return the amount that a provider states in minor units (``1000``), None for null.

    Raises:
        Unreadable: no whole number, or a negative or absurd one.

    """
    number = _number(value)
    if number is None:
        return None
    minor_units = _minor_units(number, 0)
    if minor_units is None:
        msg = f"the amount {value!s:.40} is not a whole number of minor units"
        raise Unreadable(msg)
    return Amount(minor_units, currency)


def _minor_units(number: Decimal, decimals: int) -> int | None:
    # Only quantize is safe here: scaleb rounds away digits beyond the context's precision.
    rounded = number.quantize(Decimal(1).scaleb(-decimals))
    return int(rounded.scaleb(decimals)) if rounded == number else None


def _number(value: Json) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise Unreadable("the amount is not a number")
    try:
        number = _decimal(value) if isinstance(value, str) else Decimal(value)
    except InvalidOperation:
        msg = f"the amount {value!r:.40} is not a number"
        raise Unreadable(msg) from None
    if not number.is_finite() or number < 0 or number >= _BEYOND_MEASURE:
        msg = f"the amount {value!s:.40} is negative or beyond all measure"
        raise Unreadable(msg)
    return number


def _decimal(text: str) -> Decimal:
    # Python would also read 1_000 and the digits of other scripts: a guess, where money is meant.
    if "_" in text or not text.isascii():
        raise InvalidOperation
    return Decimal(text.strip())
