"""SmartPay's values: dates in UTC, and booleans and amounts that may be text.

Source: SmartPay's API documents. An empty text, or a date of zeros, is PHP's way to say null.
"""

import re
from datetime import UTC, datetime

from handlers.jsontext import Json, Unreadable
from handlers.money import Amount, from_major

CURRENCY = "CAD"
"""SmartPay's only currency."""

_DATE = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)
_WITHOUT_OFFSET = len("2026-01-01 00:00:00")
_ZEROS = "0000-00-00"
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def is_null(value: Json) -> bool:
    """Tell whether ``value`` says that there is none."""
    if not isinstance(value, str):
        return value is None
    text = value.strip()
    return not text or text.startswith(_ZEROS)


def date(value: Json) -> datetime | None:
    """Return the moment that ``value`` names, UTC unless it has an offset; None for null.

    Raises:
        Unreadable: not "YYYY-MM-DD HH:MM:SS" nor the same in ISO 8601, or no such moment.

    """
    text = value.strip() if isinstance(value, str) else ""
    if not _DATE.fullmatch(text) or text.startswith(_ZEROS):
        if is_null(value):
            return None
        msg = f"{value!r:.40} is not a date with a time"
        raise Unreadable(msg)
    try:
        if len(text) == _WITHOUT_OFFSET:
            return datetime.fromisoformat(f"{text}Z")
        moment = datetime.fromisoformat(text.upper())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        msg = f"there is no such date as {text!r:.40}"
        raise Unreadable(msg) from None


def date_text(moment: datetime) -> str:
    """Return ``moment`` as SmartPay's documents write it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")


def boolean(value: Json) -> bool | None:
    """Return a boolean, also one written as a number or text; None for null.

    Raises:
        Unreadable: it is neither true nor false.

    """
    if value is None or isinstance(value, bool):
        return value
    if is_null(value):
        return None
    known = _BOOLEANS.get(str(value).strip().lower()) if isinstance(value, int | str) else None
    if known is None:
        msg = f"{value!r:.40} is neither true nor false"
        raise Unreadable(msg)
    return known


def amount(value: Json) -> Amount | None:
    """Return an amount in Canadian dollars, None for null.

    Raises:
        Unreadable: as :func:`handlers.money.from_major`.

    """
    return None if value is None or is_null(value) else from_major(value, CURRENCY)
