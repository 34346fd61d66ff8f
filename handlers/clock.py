"""Times: aware, in UTC, and the same text everywhere."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Returns the present time, aware and in UTC. Injected, so that tests own it."""


_MILLISECOND = 1000


def utc_now() -> datetime:
    """Return the present time in UTC: the clock of the running service."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Return ``moment`` as RFC 3339 in UTC, with milliseconds only where there are any."""
    precision = "milliseconds" if moment.microsecond >= _MILLISECOND else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def from_rfc3339(text: str) -> datetime:
    """Return the moment that ``text`` names, in UTC.

    Raises:
        ValueError: not ISO 8601, without an offset, or beyond the calendar in UTC.

    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = f"the time {text!r} has no offset"
        raise ValueError(msg)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        msg = f"the time {text!r} is beyond the calendar in UTC"
        raise ValueError(msg) from None
