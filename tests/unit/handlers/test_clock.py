"""Times as text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given

from handlers.clock import from_rfc3339, rfc3339, utc_now

from .lives import moments

HALIFAX = timezone(timedelta(hours=-4))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2018, 1, 1, 12, tzinfo=UTC), "2018-01-01T12:00:00Z"),
        (datetime(2018, 1, 1, 8, tzinfo=HALIFAX), "2018-01-01T12:00:00Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 123_456, tzinfo=UTC), "2026-01-01T00:00:00.123Z"),
        (datetime(2026, 1, 1, 0, 0, 0, 999, tzinfo=UTC), "2026-01-01T00:00:00Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
    ],
)
def test_a_moment_is_written_in_utc(moment: datetime, text: str) -> None:
    """Times are written in UTC with a Z, and with milliseconds only where there are any."""
    assert rfc3339(moment) == text


@given(moments)
def test_a_moment_is_read_as_it_was_written(moment: datetime) -> None:
    """A time comes back to the millisecond, aware and in UTC."""
    read = from_rfc3339(rfc3339(moment))
    assert moment - timedelta(milliseconds=1) < read <= moment
    assert read.tzinfo is UTC


def test_an_offset_is_honoured() -> None:
    """A time with an offset names the same moment in UTC."""
    assert from_rfc3339("2014-02-18T13:38:57-05:00") == datetime(
        2014, 2, 18, 18, 38, 57, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2018-01-01T12:00:00",
        "2018-13-01T12:00:00Z",
        "2018-01-01",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_names_no_moment_is_refused(text: str) -> None:
    """A time without an offset, or one that UTC's calendar does not have, is a ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        from_rfc3339(text)


def test_the_clock_of_the_service_is_aware_and_in_utc() -> None:
    """The present time has UTC as its zone."""
    assert utc_now().tzinfo is UTC
