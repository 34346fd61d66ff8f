"""Reading SmartPay's listings for what no webhook told, again and again, at bounded cost.

Of each collection the **head** is read every ``reconcile_interval``: what was created since the
last cut. When it spans a day, or fills most of a page, it is cut: what it held goes on as a closed
**window** of its own, and the head begins anew.

A listing shows nothing but the time of creation to ask by, so a late change is found only by
reading its window again. That is done in proportion to the window's age, counted from its end: in
an eighth of it while it holds an open (unpaid) invoice, in half of it otherwise, and never sooner
than ``reconcile_interval``. When it is older than ``reconcile_lookback`` it is read once more, and
for the last time after as long again: it may only have seemed so old by a clock that was wrong, and
then goes on as before. Hence the **bound**: a change of an invoice that was open is shown within
the interval or an eighth of the invoice's age, whichever is longer, and any other within half of
its age; the poller varies pauses by a tenth. And the **cost** of a window is logarithmic in the
lookback L: with interval I about ``9 + ln(L / 8I) / ln(9/8)`` calls, or
``3 + ln(L / 2I) / ln(3/2)``: 59 and 21 for 30 days and 15 minutes. ``docs/smartpay.md`` says what
that comes to for a shop.

**Pages** hardly matter, since a window with more than one page is cut into shorter ones: what its
first page showed is handed on, and it ends. One page is one answer, in which no row can move. Only
a window too short to be cut is read page by page. Rows that come to be meanwhile go to the end or,
in a listing with the newest first, push others to later pages, which are still to be read. Only
rows that vanish pull others to pages read before, so each visit begins with the last page of the
one before; and whatever slips all the same is there at the window's next reading.

**News**: what a window shows for the first time happened after its last complete reading, or after
its beginning, both less what clocks may differ and a listing may lag (:data:`OVERLAP`). A head that
had more than a page, and the parts of a window that was cut, have had no complete reading: they go
by their beginning, which is earlier, and so never blames a webhook for what came before.

**History**: nothing is dated of a row's creation, so what was created before ``import_since`` is
known by the window that showed it. The first head therefore begins there, and what the lookback
holds before it is a window of its own.
"""

from datetime import datetime, timedelta

from msgspec import structs

from handlers.exchange import Conversation
from handlers.fact import Uninterpretable
from handlers.jsontext import JsonObject, compact
from handlers.observation import Origin
from handlers.provider import Discovery, Ending, Polled, Resource, Session
from handlers.smartpay.api import Api, Collection, Listing
from handlers.smartpay.body import INVOICE, find, own_fields
from handlers.smartpay.facts import read
from handlers.smartpay.progress import Progress
from handlers.smartpay.settings import SmartPaySettings
from handlers.smartpay.windows import OVERLAP, Window, end_of_history

LONGEST_HEAD = timedelta(days=1)
"""A head that spans so much is cut: later changes would cost as many calls as early ones."""

FULL = 75
"""Rows of a page from which a head is cut: the window has room for what its overlap adds."""

PAGES_A_VISIT = 5
"""So that what waits for the account besides has its turn, and a restart repeats little."""

SHARE_OPEN = 8
"""A window with an open invoice is read again after this fraction of its age."""

SHARE_SETTLED = 2
"""Any other is read again after this fraction of its age."""

_AT_ONCE = 0.0


def read_head(
    api: Api, settings: SmartPaySettings, collection: Collection, session: Session, memory: bytes
) -> Conversation[Polled]:
    """Read what was created since the last cut; cut it if it is long or full.

    Raises:
        ProviderFailure: as its subclasses say; nothing of the visit counts then.

    """
    now = session.now().replace(microsecond=0)
    progress = Progress.decode(memory)
    since, past = progress.since, None
    if since is None:
        since, past = _beginning(settings, collection, now)
    # A clock that was set back must not ask for a window that ends before it begins.
    head = Window(collection, min(since, now), now)
    listing = yield from api.listing(collection, head.filters(), session, most_pages=1)
    is_long = now - head.since >= LONGEST_HEAD or len(listing.rows) >= FULL
    is_cut = head.since < now and (is_long or not listing.is_whole)
    after = Progress(
        since=now if is_cut else since,
        read_at=now if listing.is_whole else None,
    )
    closed = (past, head if is_cut else None)
    return structs.replace(
        _shown(head, listing, progress),
        discovered=tuple(Discovery(one.watch(settings.name)) for one in closed if one is not None),
        pace=settings.reconcile_interval / settings.poll_interval,
        memory=after.encode(),
    )


def read_window(
    api: Api, settings: SmartPaySettings, window: Window, session: Session, memory: bytes
) -> Conversation[Polled]:
    """Read a window, a part of its pages, or its first page and cut it.

    Raises:
        ProviderFailure: as its subclasses say; nothing of the visit counts then.

    """
    now = session.now()
    progress = Progress.decode(memory)
    listing = yield from api.listing(
        window.collection,
        window.filters(),
        session,
        most_pages=1 if window.is_divisible else PAGES_A_VISIT,
        first_page=progress.page,
    )
    shown = _shown(window, listing, progress)
    if not listing.is_whole and window.is_divisible:
        parts = window.parts(listing.pages)
        discovered = tuple(Discovery(part.watch(settings.name)) for part in parts)
        return structs.replace(shown, discovered=discovered, ending=Ending.DONE)
    is_open = progress.is_open or any(_is_open(settings.name, row) for row in listing.rows)
    if not listing.is_whole:
        under_way = structs.replace(
            progress,
            began=progress.began or now,
            page=progress.page + PAGES_A_VISIT - 1,
            is_open=is_open,
        )
        return structs.replace(shown, pace=_AT_ONCE, memory=under_way.encode())
    age = now - window.until
    is_late = age >= settings.reconcile_lookback
    if window.asked is not None or (is_late and progress.is_late):
        return structs.replace(shown, ending=Ending.DONE)
    return structs.replace(
        shown,
        pace=_pause(settings, age, is_open=is_open) / settings.poll_interval,
        memory=Progress(read_at=progress.began or now, is_late=is_late).encode(),
    )


def _beginning(
    settings: SmartPaySettings, collection: Collection, now: datetime
) -> tuple[datetime, Window | None]:
    """Return where the first head begins, and the window before it, of what is history.

    In a head that reached further back nobody could tell which of its rows are.
    """
    begin, day = now - settings.reconcile_lookback, settings.import_start()
    if day is None or day <= begin + 2 * OVERLAP:
        return begin, None
    since = min(end_of_history(day), now)
    return since, Window(collection, begin, since)


def _pause(settings: SmartPaySettings, age: timedelta, *, is_open: bool) -> timedelta:
    if age >= settings.reconcile_lookback:
        return settings.reconcile_lookback
    share = SHARE_OPEN if is_open else SHARE_SETTLED
    return max(settings.reconcile_interval, age / share)


def _shown(window: Window, listing: Listing, progress: Progress) -> Polled:
    rows = (Resource(window.collection, compact(own_fields(row))) for row in listing.rows)
    return Polled(
        resources=tuple(dict.fromkeys(rows)),
        origin=Origin.RECONCILIATION,
        news_since=_news_since(window, progress.read_at),
        created_before=window.latest,
    )


def _news_since(window: Window, read_at: datetime | None) -> datetime:
    return window.earliest if read_at is None else max(window.earliest, read_at - OVERLAP)


def _is_open(account: str, row: JsonObject) -> bool:
    """Tell whether a row is an invoice that may still be paid; a test is not waited for."""
    found = find(row)
    if found is None or found.kind != INVOICE:
        return False
    try:
        reading = read(account, found)
    except Uninterpretable:
        return True
    is_settled = any(fact.action in {"paid", "cancelled"} for fact in reading.facts)
    return not reading.resource.test and not is_settled
