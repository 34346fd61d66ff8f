"""What the windows tell of the history of a shop that has an ``import_since``."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.history import ImportSince
from handlers.ledger import Entry, settle
from handlers.observation import Observation, Origin
from handlers.provider import RECONCILIATION, Watch
from handlers.smartpay.windows import LONGEST, OVERLAP, Window, asked_for, end_of_history, parse
from tests.unit.smartpay.host import NOW, Shop, converse, handler
from tests.unit.smartpay.watching import Invoice, Machine, Visit

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
LOOKBACK = timedelta(days=5)
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def told(machine: Machine, visits: Iterable[Visit]) -> dict[str, Counter[str]]:
    """Return how often each action of each invoice became an event, as a router would have it."""
    entries: dict[str, Entry] = {}
    events: dict[str, Counter[str]] = {one.id: Counter() for one in machine.invoices}
    day = machine.handler.import_start
    assert day is not None
    for visit in visits:
        polled = visit.polled
        for resource in polled.resources:
            row = Observation(
                "shop",
                Origin.RECONCILIATION,
                resource.topic,
                visit.at,
                resource.body,
                news_since=polled.news_since,
                created_before=polled.created_before,
            )
            reading = machine.handler.interpret(row).reading
            assert reading is not None
            id = reading.resource.id  # noqa: A001 - the provider's word
            said = ImportSince.of(day, row)
            settled = settle(entries.get(id), reading, visit.at, import_since=said)
            entries[id] = settled.entry
            events[id].update(new.fact.action for new in settled.publications)
    return events


def _shop(rng: Random, day: datetime, skew: timedelta) -> list[Invoice]:
    """Return invoices from before the first start and after it, many about the day."""
    invoices = []
    for number in range(60):
        offset = rng.choice((rng.uniform(-0.02, 0.02), rng.uniform(-4, 4))) * DAY
        born = (day + offset).replace(microsecond=0)
        later = [born + rng.uniform(0, 3) * DAY if rng.random() < 0.6 else None for _ in range(2)]
        paid, cancelled = (at and at.replace(microsecond=0) for at in later)
        lag = rng.randint(0, 120) * SECOND
        invoices.append(Invoice(f"i{number}", born, born + skew, paid, lag, cancelled))
    return sorted(invoices, key=lambda one: one.created_at)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_older_gives_no_event_and_what_is_newer_does(seed: int) -> None:
    """However windows are cut, with clocks that differ and a listing that lags.

    Whatever is certain is told so: the creation of what was created before the day, but for the
    minutes that windows overlap, gives no event, and nothing that happened since is lost.
    """
    rng = Random(seed)
    day = MIDNIGHT - rng.randint(0, 3) * DAY
    skew = rng.randint(-240, 240) * SECOND
    machine = Machine(
        handler(import_since=day.date()),
        NOW,
        _shop(rng, day, skew),
        page_size=rng.choice((3, 10, 100)),
        newest_first=rng.random() < 0.5,
    )
    machine.run(NOW + 40 * DAY)
    events = told(machine, machine.visits)
    for one in machine.invoices:
        found = events[one.id]
        if one.created_at < day - 3 * OVERLAP:
            assert found["created"] == 0, f"{one} is history"
        elif one.created_at >= day:
            assert found["created"] == 1, f"{one} was created since"
        if one.paid_at is not None:
            assert found["paid"] == (one.paid_at >= day), one
        if one.cancelled_at is not None:
            is_shown_at_first = one.is_shown(one.cancelled_at, NOW)
            if one.created_at >= day or not is_shown_at_first:
                assert found["cancelled"] == 1, f"{one} was cancelled since"
            elif one.created_at < day - 3 * OVERLAP:
                assert found["cancelled"] == 0, f"{one} is history"


def test_without_the_day_the_lookback_is_one_window() -> None:
    """And with a day beyond it, too: then nothing that is read is history."""
    for changed in ({}, {"import_since": (NOW - LOOKBACK - DAY).date()}):
        machine = Machine(handler(reconcile_lookback=LOOKBACK, **changed), NOW)
        machine.run(NOW + MINUTE)
        spans = _lasting(machine)
        assert spans == [(NOW - LOOKBACK, NOW)]


def test_the_first_head_leaves_history_to_a_window_of_its_own() -> None:
    """The two meet where the first ends, with its overlap and what clocks differ, at the day."""
    machine = Machine(handler(reconcile_lookback=LOOKBACK, import_since=NOW.date()), NOW)
    machine.run(NOW + MINUTE)
    edge = end_of_history(MIDNIGHT)
    assert _lasting(machine) == [(NOW - LOOKBACK, edge)]
    head = next(visit for visit in machine.visits if visit.watch.id == "invoices")
    assert head.polled.news_since == edge - 2 * OVERLAP
    [past] = [visit for visit in machine.visits if visit.watch.id.startswith("invoices/")]
    assert past.polled.created_before == MIDNIGHT
    machine.run(NOW + 2 * DAY)
    assert _lasting(machine)[:2] == [(NOW - LOOKBACK, edge), (edge, edge + DAY + 10 * MINUTE)]


def _lasting(machine: Machine) -> list[tuple[datetime, datetime]]:
    windows = [parse(watch.id) for watch in machine.memories if watch.kind == RECONCILIATION]
    return sorted((w.since, w.until) for w in windows if w and w.collection == "invoices")


def test_a_head_that_was_read_before_the_day_was_set_goes_on() -> None:
    """The key came later: what was read is known, and nothing is read again for it."""
    shop, changed = Shop(), handler(import_since=NOW.date())
    head = Watch("shop", RECONCILIATION, "invoices")
    memory = converse(shop.handler.poll(head, HOUR, shop.session, b""), shop.ask).memory or b""
    again = converse(changed.poll(head, HOUR, shop.session, memory), shop.ask)
    assert (again.discovered, again.news_since) == ((), NOW - OVERLAP)


starts = st.integers(0, 200).map(lambda days: MIDNIGHT + days * DAY)


@given(starts, starts, st.integers(0, 200), st.integers(0, 23))
def test_asked_windows_are_cut_at_the_day(
    since: datetime, day: datetime, days: int, hours: int
) -> None:
    """Without a gap, and none has both what is certainly history and what is not."""
    since += hours * HOUR
    windows = [w for w in asked_for(since, since + days * DAY, day) if w.collection == "orders"]
    assert all(one.until == later.since for one, later in pairwise(windows))
    assert all(w.until - w.since <= LONGEST and parse(w.id) == w for w in windows)
    edge = end_of_history(day)
    assert not [w for w in windows if w.since < edge < w.until]
    if windows:
        assert (windows[0].since, windows[-1].until) == (since, since + days * DAY)


def test_a_window_tells_when_its_rows_were_created_at_the_latest() -> None:
    """By its end, with the overlap that is asked for and as much for clocks that differ."""
    assert Window("invoices", NOW - DAY, NOW).latest == NOW + 2 * OVERLAP
    shop = Shop()
    shop.handler = handler(import_since=NOW.date(), base_url="http://127.0.0.1:8080")
    asked = shop.handler.reconciliation(NOW - 40 * DAY, NOW)
    told = [
        converse(shop.handler.poll(watch, HOUR, shop.session), shop.ask).created_before
        for watch in asked
        if "invoices" in watch.id
    ]
    first = NOW - 40 * DAY + LONGEST
    assert told == [first + 2 * OVERLAP, MIDNIGHT, NOW + 2 * OVERLAP]
