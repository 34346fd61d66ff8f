"""Moments as people write them: a time, a date, or how long ago."""

from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from config.types import TooLong, parse_duration

_EXAMPLES = 'such as "2026-01-31", "2026-01-31T12:00:00Z" or "2h"'


def moment_from(text: str, now: datetime, *, end: bool = False) -> datetime:
    """Return the moment that ``text`` means, in UTC.

    It is a time (UTC, where it has no offset), a date (its beginning, or with ``end`` its last
    moment), or a duration, counted back from ``now``.

    Raises:
        ValueError: it is none of these, and ``str()`` says what it may be; or there is no such
            time, and ``str()`` says so.
    """
    for read in (partial(_date, end=end), _time, partial(_ago, now=now)):
        try:
            return read(text).astimezone(UTC)
        except (OverflowError, TooLong):
            msg = f"{text[:50]!r} is too far away: times are those of the years from 1 to 9999"
            raise ValueError(msg) from None
        except ValueError:
            continue
    raise ValueError(f"{text[:50]!r} is no date, time or duration, {_EXAMPLES}")


def _date(text: str, *, end: bool) -> datetime:
    day = datetime.combine(date.fromisoformat(text), time(), UTC)
    return day + timedelta(days=1, microseconds=-1) if end else day


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _ago(text: str, *, now: datetime) -> datetime:
    return now - parse_duration(text)
