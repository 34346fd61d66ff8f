"""Windows: their names, their edges, and how they are cut."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.provider import RECONCILIATION, Ending, Polled, Watch
from handlers.smartpay.windows import (
    COLLECTIONS,
    LONGEST,
    MOST_PARTS,
    OVERLAP,
    SHORTEST,
    Window,
    asked_for,
    parse,
)
from tests.unit.smartpay.host import Shop, converse

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)

moments = st.integers(0, 36_500 * 86_400).map(
    lambda seconds: datetime(2000, 1, 1, tzinfo=UTC) + seconds * SECOND
)
spans = st.tuples(moments, st.timedeltas(SECOND, 400 * DAY)).map(
    lambda drawn: (drawn[0], (drawn[0] + drawn[1]).replace(microsecond=0))
)


def test_asked_windows_cover_the_time_without_a_gap() -> None:
    """Each collection's windows follow each other from the first second to the last."""
    end = BEGIN + timedelta(days=70, seconds=5)
    windows = list(asked_for(BEGIN, end))
    for collection in COLLECTIONS:
        limits = [(one.since, one.until) for one in windows if one.collection == collection]
        assert limits[0][0] == BEGIN
        assert limits[-1][1] == BEGIN + timedelta(days=70, hours=1)
        assert all(one[1] == next_[0] for one, next_ in pairwise(limits))
        assert max(until - since for since, until in limits) == LONGEST
    assert list(asked_for(end, BEGIN)) == []
    later = timedelta(minutes=59)
    assert list(asked_for(BEGIN + later, end + later)) == windows


@pytest.mark.parametrize("minutes", [0, 1, 59])
def test_thirty_days_are_one_window(minutes: int) -> None:
    """Of each collection, whenever in the hour they are asked for."""
    now = BEGIN + timedelta(minutes=minutes)
    assert [one.collection for one in asked_for(now - 30 * DAY, now)] == list(COLLECTIONS)


def test_a_window_reaches_beyond_its_limits() -> None:
    """Their clock may differ from ours, and nobody says whether a limit belongs to the window."""
    window = Window("invoices", BEGIN, BEGIN + DAY)
    assert window.filters() == {
        "created_from": "2025-12-31 23:55:00",
        "created_to": "2026-01-02 00:05:00",
    }
    assert window.earliest == BEGIN - 2 * OVERLAP


def test_what_is_asked_for_once_has_a_name_of_its_own() -> None:
    """A part's name begins with that of the whole, and no name is that of a lasting window."""
    lasting = Window("invoices", BEGIN, BEGIN + DAY)
    [asked, _] = asked_for(BEGIN, BEGIN + DAY)
    part = next(asked.parts(1))
    assert lasting.id == "invoices/2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"
    assert asked.id == f"once/{lasting.id}"
    assert part.id == f"{asked.id}/2026-01-01T12:00:00Z/2026-01-02T00:00:00Z"
    assert parse(part.id.removeprefix("once/")) is None
    assert next(part.parts(1)).id.startswith(f"{asked.id}/2026-01-01T18:00:00Z/")


@given(span=spans, asked=st.booleans(), pages=st.integers(1, 1_000))
def test_a_name_tells_everything(
    span: tuple[datetime, datetime], *, asked: bool, pages: int
) -> None:
    """Whatever window is made or cut can be made again from its name alone."""
    window = Window("orders", *span, span if asked else None)
    assert parse(window.id) == window
    if window.is_divisible:
        assert all(parse(part.id) == part for part in window.parts(pages))


@given(span=spans, pages=st.integers(1, 1_000))
def test_parts_cover_the_window(span: tuple[datetime, datetime], pages: int) -> None:
    """The parts follow each other without a gap, newest first, none too short, none too many."""
    window = Window("invoices", *span)
    if not window.is_divisible:
        assert window.until - window.since < 2 * SHORTEST
        return
    parts = list(window.parts(pages))
    assert (parts[-1].since, parts[0].until) == span
    assert all(newer.since == older.until for newer, older in pairwise(parts))
    assert 2 <= len(parts) <= MOST_PARTS
    assert min(part.until - part.since for part in parts) >= SHORTEST - SECOND


@pytest.mark.parametrize(
    "id",
    [
        "",
        "once",
        "once/invoices",
        "webhooks/2026-01-01T00:00:00Z/2026-01-08T00:00:00Z",
        "invoices/2026-01-01T00:00:00Z",
        "invoices/2026-01-01T00:00:00/2026-01-08T00:00:00",
        "invoices/2026-01-08T00:00:00Z/2026-01-01T00:00:00Z",
        "invoices/0001-01-01T00:06:00Z/2026-01-08T00:00:00Z",
        "invoices/2026-01-01T00:00:00Z/9999-12-31T23:59:59Z",
        "invoices/2026-01-01T00:00:00Z/2026-01-08T00:00:00Z/5",
        "invoices/2026-01-01T00:00:00Z/2026-01-03T00:00:00Z/2026-01-01T00:00:00Z",
    ],
)
def test_what_names_no_window_is_over_at_once(id: str) -> None:  # noqa: A002 - a watch's word
    """A watch that none of us made costs no call and does not stay."""
    shop = Shop()
    assert parse(id) is None
    watch = Watch("shop", RECONCILIATION, id)
    polled = converse(shop.handler.poll(watch, timedelta(), shop.session), shop.ask)
    assert polled == Polled(ending=Ending.DONE)
    assert shop.asked == []
