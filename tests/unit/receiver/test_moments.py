"""Moments as people write them."""

from datetime import UTC, datetime, timedelta

import pytest

from receiver.moments import moment_from

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-01-02T05:00", datetime(2026, 1, 2, 5, tzinfo=UTC)),
        ("2026-01-02T05:00:00+02:00", datetime(2026, 1, 2, 3, tzinfo=UTC)),
        ("2h", NOW - timedelta(hours=2)),
        ("500ms", NOW - timedelta(milliseconds=500)),
    ],
)
def test_dates_times_and_durations_are_moments(text: str, moment: datetime) -> None:
    """A date is its beginning, a time without an offset is in UTC, a duration counts back."""
    assert moment_from(text, NOW) == moment


def test_a_date_as_an_end_is_all_of_that_day() -> None:
    """Its last moment is meant, while a time stays what it is."""
    assert moment_from("2026-01-02", NOW, end=True) == datetime(
        2026, 1, 2, 23, 59, 59, 999999, tzinfo=UTC
    )
    midnight = datetime(2026, 1, 2, tzinfo=UTC)
    assert moment_from("2026-01-02T00:00:00Z", NOW, end=True) == midnight


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2", "-2h"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    """The message says what may be written."""
    with pytest.raises(ValueError, match=r'no date, time or duration, such as "2026-01-31"'):
        moment_from(text, NOW)


@pytest.mark.parametrize(
    "text", ["1000000d", "999999999999999d", "0001-01-01T00+12:00", "9999-12-31T23-12:00"]
)
def test_what_no_calendar_has_is_told_as_such(text: str) -> None:
    """It is written as it should be, and only too long."""
    with pytest.raises(ValueError, match="is too far away: times are those of the years"):
        moment_from(text, NOW)
