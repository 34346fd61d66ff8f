"""Reading SmartPay's listings for what no webhook told, a window of time after the other.

Source: SmartPay's API documents: ``get_invoices`` and ``get_orders`` take ``created_from`` and
``created_to``, and answer 100 rows a page. There is no "changed since", so a window shows what has
become by now of all that was created in it. Whether its limits belong to it, and in which order the
rows come, is not said.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import get_args

from handlers.clock import from_rfc3339, rfc3339
from handlers.exchange import Conversation
from handlers.jsontext import compact
from handlers.observation import Origin
from handlers.provider import (
    RECONCILIATION,
    Discovery,
    Ending,
    Polled,
    Resource,
    Session,
    Watch,
)
from handlers.smartpay.api import Api, Collection
from handlers.smartpay.body import own_fields
from handlers.smartpay.values import date_text

WINDOW = timedelta(days=30)
"""The longest window: it bounds how deep the pages go, and costs a quiet shop few calls."""

OVERLAP = timedelta(minutes=5)
"""How far each window reaches beyond its limits: their clock and ours differ."""

PAGES_A_VISIT = 5
"""So that what waits for the account besides has its turn, and a restart repeats little."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of one collection: what was created between two times, from some page on."""

    collection: Collection
    since: datetime
    until: datetime
    page: int = 1

    @property
    def id(self) -> str:
        """Return the name, such as ``invoices/2026-01-01T00:00:00Z/2026-01-31T00:00:00Z``."""
        window = f"{self.collection}/{rfc3339(self.since)}/{rfc3339(self.until)}"
        return window if self.page == 1 else f"{window}/{self.page}"

    @property
    def following(self) -> "Part":
        """Return the part after this one.

        It begins with the last page of this one: rows move between pages as others come and go.
        """
        return replace(self, page=self.page + PAGES_A_VISIT - 1)

    def filters(self) -> dict[str, str]:
        """Return what to ask the listing for."""
        return {
            "created_from": date_text(self.since - OVERLAP),
            "created_to": date_text(self.until + OVERLAP),
        }

    def watch(self, account: str) -> Watch:
        """Return the watch that has this part read."""
        return Watch(account, RECONCILIATION, self.id)


def parse(id: str) -> Part | None:  # noqa: A002 - a watch's word
    """Return the part that ``id`` names, None if it names none."""
    collection, _, limits = id.partition("/")
    since, _, rest = limits.partition("/")
    until, _, page = rest.partition("/")
    try:
        part = Part(_collection(collection), from_rfc3339(since), from_rfc3339(until), _page(page))
        part.filters()
    except (ValueError, OverflowError):
        return None
    return part


def windows(since: datetime, until: datetime) -> Iterator[Part]:
    """Yield the windows that together show all that was created between the two times.

    They begin and end with a whole hour, so that who asks again soon asks for the same.
    """
    begin, end = _hour(since), _hour(until)
    if end < until:
        end += timedelta(hours=1)
    while begin < end:
        limit = min(end, begin + WINDOW)
        for collection in get_args(Collection):
            yield Part(collection, begin, limit)
        begin = limit


def read(api: Api, account: str, part: Part, session: Session) -> Conversation[Polled]:
    """Read a part, and name the next one if there is more.

    Raises:
        ProviderFailure: as its subclasses say; nothing of the part counts then.

    """
    listing = yield from api.listing(
        part.collection,
        part.filters(),
        session,
        most_pages=PAGES_A_VISIT,
        first_page=part.page,
    )
    rows = (Resource(part.collection, compact(own_fields(row))) for row in listing.rows)
    more = () if listing.is_whole else (Discovery(part.following.watch(account)),)
    return Polled(
        resources=tuple(dict.fromkeys(rows)),
        discovered=more,
        ending=Ending.DONE,
        origin=Origin.RECONCILIATION,
    )


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _collection(name: str) -> Collection:
    for collection in get_args(Collection):
        if name == collection:
            found: Collection = collection
            return found
    raise ValueError(name)


def _page(text: str) -> int:
    if not text:
        return 1
    page = int(text)
    if page < 1:
        raise ValueError(text)
    return page
