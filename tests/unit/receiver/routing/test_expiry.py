"""What a shard's ledger forgets, when, and how it finds it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from handlers.clock import rfc3339
from handlers.fact import Fact, Reading
from handlers.ledger import settle
from handlers.resource import ResourceKey
from receiver.routing.expiry import HORIZON_KEY, SLICE, Expiry, Retention, horizon_in, margin
from receiver.routing.letters import count_key

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MONTH = 30 * DAY
BOTH = Retention(MONTH, 90 * DAY)


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """Return the time it was set to."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


def entry(observed_at: datetime) -> bytes:
    """Return the ledger's entry of an invoice that was observed once."""
    resource = ResourceKey("acme", "shop", "invoice", "1")
    return settle(None, Reading(resource, (Fact(resource, "created"),)), observed_at).entry.encode()


def count(last_at: datetime) -> bytes:
    """Return the count of a letter that came twice."""
    return msgspec.msgpack.encode([2, rfc3339(NOW - 999 * DAY), rfc3339(last_at)])


def forget_all(expiry: Expiry, table: dict[bytes, bytes]) -> set[bytes]:
    """Take steps until a walk is over; return what is to be forgotten."""
    found = set(expiry.step(table))
    while expiry.is_walking:
        found.update(expiry.step(table))
    return found


def see(expiry: Expiry, received_at: datetime, table: dict[bytes, bytes]) -> None:
    """Have an observation come, and its change of the horizon committed."""
    for key, value in expiry.saw(received_at, table).items():
        assert value is not None
        table[key] = value


def test_a_margin_is_an_hour_or_a_share_of_a_short_retention() -> None:
    """So that a month is kept for an hour longer, and a minute not for an hour longer."""
    assert margin(MONTH) == HOUR
    assert margin(timedelta(minutes=24)) == timedelta(minutes=1)


def test_an_entry_is_forgotten_after_its_retention_and_the_margin(clock: Clock) -> None:
    """Not a moment earlier; and neither what is younger nor the horizon goes."""
    limit = NOW - MONTH - HOUR
    table = {b"old": entry(limit - timedelta(seconds=1)), b"young": entry(limit)}
    expiry = Expiry(BOTH, clock)
    see(expiry, NOW, table)
    assert horizon_in(table) == limit
    assert forget_all(expiry, table) == {b"old"}


def test_without_a_retention_entries_live_for_ever(clock: Clock) -> None:
    """There is no horizon then, and one that an earlier setting left forgets nothing."""
    table = {b"old": entry(NOW - 9999 * DAY)}
    expiry = Expiry(Retention(None, 90 * DAY), clock)
    see(expiry, NOW, table)
    assert horizon_in(table) is None
    table[HORIZON_KEY] = rfc3339(NOW).encode()
    clock.now += DAY
    see(expiry, NOW + DAY, table)
    assert forget_all(expiry, table) == set()
    assert horizon_in(table) == NOW


def test_a_retention_longer_than_the_calendar_is_for_ever(clock: Clock) -> None:
    """A number that reaches back before the year 1 stops no shard."""
    table = {b"old": entry(NOW - 9999 * DAY)}
    expiry = Expiry(Retention(9_999_999 * DAY, 9_999_999 * DAY), clock)
    see(expiry, NOW, table)
    assert forget_all(expiry, table) == set()


@pytest.mark.parametrize("retention", [BOTH, Retention(None, 90 * DAY)])
def test_the_count_of_a_letter_goes_when_its_letter_has_gone(
    clock: Clock, retention: Retention
) -> None:
    """After the letter's own retention, counted from the last time, whatever else is forgotten."""
    limit = NOW - 90 * DAY - HOUR
    gone, there = count_key("gone"), count_key("there")
    never_dated = count_key("counted before there was a last time")
    table = {
        gone: count(limit - timedelta(seconds=1)),
        there: count(limit),
        never_dated: msgspec.msgpack.encode([2, rfc3339(limit - DAY)]),
    }
    expiry = Expiry(retention, clock)
    see(expiry, NOW, table)
    assert forget_all(expiry, table) == {gone, never_dated}


def test_nothing_is_forgotten_before_an_observation_tells_the_time(clock: Clock) -> None:
    """The router's own clock alone is not believed."""
    table = {b"old": entry(NOW - 9999 * DAY), HORIZON_KEY: rfc3339(NOW - MONTH).encode()}
    assert Expiry(BOTH, clock).step(table) == []


@pytest.mark.parametrize("ahead", [HOUR, 5 * HOUR, 9999 * DAY])
def test_a_clock_that_is_ahead_forgets_nothing_too_early(clock: Clock, ahead: timedelta) -> None:
    """The newest observation holds the router's clock back: retention is never cut short."""
    table = {b"young": entry(NOW - MONTH), count_key("young"): count(NOW - 90 * DAY)}
    clock.now = NOW + ahead
    expiry = Expiry(BOTH, clock)
    see(expiry, NOW, table)
    assert forget_all(expiry, table) == set()


def test_a_receiver_whose_clock_is_ahead_forgets_nothing_too_early(clock: Clock) -> None:
    """An observation from the future does not make it later than the router's clock says."""
    table = {b"young": entry(NOW - MONTH)}
    expiry = Expiry(BOTH, clock)
    see(expiry, NOW + 9999 * DAY, table)
    assert forget_all(expiry, table) == set()


def test_the_horizon_never_goes_back(clock: Clock) -> None:
    """A clock set back, another replica's or a longer retention leave it where it is."""
    table: dict[bytes, bytes] = {}
    see(Expiry(BOTH, clock), NOW, table)
    horizon = horizon_in(table)
    clock.now = NOW - 5 * DAY
    see(Expiry(BOTH, clock), NOW, table)
    see(Expiry(Retention(2 * MONTH), clock), NOW, table)
    assert horizon_in(table) == horizon


def test_the_horizon_moves_by_margins(clock: Clock) -> None:
    """It is not written anew with every observation."""
    table: dict[bytes, bytes] = {}
    expiry = Expiry(BOTH, clock)
    see(expiry, NOW, table)
    clock.now = NOW + HOUR - timedelta(seconds=1)
    assert expiry.saw(clock.now, table) == {}
    clock.now = NOW + HOUR
    assert expiry.saw(clock.now, table) != {}


def test_a_walk_takes_bounded_steps_and_bears_changes(clock: Clock) -> None:
    """Each key that stays is looked at once in a walk, a bounded number at a time."""
    old = entry(NOW - 9999 * DAY)
    table = {str(number).encode(): old for number in range(3 * SLICE)}
    expiry = Expiry(BOTH, clock)
    see(expiry, NOW, table)
    forgotten: list[bytes] = []
    while (step := expiry.step(table)) or expiry.is_walking:
        assert len(step) <= SLICE
        forgotten += step
        for key in step:
            del table[key]
        table[b"new %d" % len(forgotten)] = entry(NOW)
        table.pop(b"7", None)
    assert len(forgotten) == len(set(forgotten)) >= 3 * SLICE - 1
    assert {key for key in table if not key.startswith(b"new")} == {HORIZON_KEY}


def test_the_next_walk_is_a_margin_later(clock: Clock) -> None:
    """A table in which nothing is old is not read again and again."""
    table = {b"old": entry(NOW - 9999 * DAY)}
    expiry = Expiry(BOTH, clock)
    see(expiry, NOW, table)
    assert forget_all(expiry, table) == {b"old"}
    assert forget_all(expiry, table) == set()
    clock.now = NOW + HOUR
    see(expiry, clock.now, table)
    assert forget_all(expiry, table) == {b"old"}
