"""Windows: the spans of time by which SmartPay's listings are read.

Source: SmartPay's API documents: ``get_invoices`` and ``get_orders`` take ``created_from`` and
``created_to``, and answer 100 rows a page. There is no "changed since", so a window shows what has
become by now of all that was created in it. Whether its limits belong to it, and in which order the
rows come, is not said.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, get_args

from handlers.clock import from_rfc3339, rfc3339
from handlers.provider import RECONCILIATION, Watch
from handlers.smartpay.api import Collection
from handlers.smartpay.values import date_text

COLLECTIONS: tuple[Collection, ...] = get_args(Collection)

LONGEST = timedelta(days=30, hours=1)
"""The longest window of those asked for once: a quiet shop costs few calls.

The hour is for limits that are not whole hours: 30 days back from now are one window.
"""

OVERLAP = timedelta(minutes=5)
"""How far each window reaches beyond its limits: clocks differ, and a listing may lag."""

SHORTEST = timedelta(minutes=10)
"""What is shorter than two of these is not cut any more: it would be mostly overlap."""

MOST_PARTS = 100
"""Into how many parts a window is cut at once."""

_ONCE = "once"
_SECOND = timedelta(seconds=1)

_Span: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Window:
    """What was created in one collection between two times.

    ``asked`` is the span that somebody asked to be read once, this one or a part of it; None for a
    window that is read again and again.
    """

    collection: Collection
    since: datetime
    until: datetime
    asked: _Span | None = None

    @property
    def id(self) -> str:
        """Return the name: ``invoices/2026-01-01T00:00:00Z/2026-01-02T00:00:00Z``.

        What is read once begins with ``once/``, and a part of it with the name of the whole.
        """
        own = _written((self.since, self.until))
        if self.asked is None:
            return f"{self.collection}/{own}"
        whole = f"{_ONCE}/{self.collection}/{_written(self.asked)}"
        return whole if self.asked == (self.since, self.until) else f"{whole}/{own}"

    @property
    def earliest(self) -> datetime:
        """Return the time, by our clock, before which no row of it was created.

        It is the overlap that is asked for, and as much again for how far the clocks may differ.
        """
        return self.since - 2 * OVERLAP

    @property
    def latest(self) -> datetime:
        """Return the time, by our clock, before which every row of it was created."""
        return self.until + 2 * OVERLAP

    @property
    def is_divisible(self) -> bool:
        """Tell whether it can be cut into shorter windows."""
        return self.until - self.since >= 2 * SHORTEST

    def filters(self) -> dict[str, str]:
        """Return what to ask the listing for."""
        return {
            "created_from": date_text(self.since - OVERLAP),
            "created_to": date_text(self.until + OVERLAP),
        }

    def parts(self, pages: int) -> Iterator["Window"]:
        """Yield the windows that it is cut into, the newest first, for what fills ``pages``.

        There is a quarter more of them than pages: few parts have exactly the average of rows.
        """
        span = self.until - self.since
        count = max(2, min(-(-pages * 5 // 4), span // SHORTEST, MOST_PARTS))
        until = self.until
        for number in reversed(range(count)):
            since = self.since + span * number // count // _SECOND * _SECOND
            yield replace(self, since=since, until=until)
            until = since

    def watch(self, account: str) -> Watch:
        """Return the watch that has it read."""
        return Watch(account, RECONCILIATION, self.id)


def parse(id: str) -> Window | None:  # noqa: A002 - a watch's word
    """Return the window that ``id`` names, None if it names none."""
    is_once = id.startswith(f"{_ONCE}/")
    name, *limits = id.removeprefix(f"{_ONCE}/").split("/")
    try:
        times = [from_rfc3339(limit) for limit in limits]
        spans = list(zip(times[::2], times[1::2], strict=True))
        [collection] = [known for known in COLLECTIONS if known == name]
        since, until = spans[-1]
        window = Window(collection, since, until, spans[0] if is_once else None)
        # What lies at the end of the calendar has no room for its overlap.
        readable = window.earliest < since < until < window.latest and bool(window.filters())
    except (ValueError, IndexError, OverflowError):
        return None
    return window if readable and window.id == id else None


def end_of_history(day: datetime) -> datetime:
    """Return where the last window must end of which all was surely created before ``day``."""
    return day - 2 * OVERLAP


def asked_for(
    since: datetime, until: datetime, import_start: datetime | None = None
) -> Iterator[Window]:
    """Yield the windows that together show, read once, all created between the two times.

    They begin and end with a whole hour, so that who asks again soon asks for the same; but no
    window has both what was created before ``import_start`` and what was created after it.
    """
    begin, end = _hour(since), _hour(until)
    if end < until:
        end += timedelta(hours=1)
    while begin < end:
        limit = min(end, begin + LONGEST)
        if import_start is not None and begin < import_start:
            edge = end_of_history(import_start)
            limit = edge if begin < edge < limit else limit
        for collection in COLLECTIONS:
            yield Window(collection, begin, limit, (begin, limit))
        begin = limit


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _written(span: _Span) -> str:
    return "/".join(map(rfc3339, span))
