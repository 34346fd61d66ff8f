"""Durations, sizes and URLs as they are written in a configuration."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from config.types import ByteSize, Duration, Interval, Timeout, format_duration, parse_duration
from config.urls import BaseUrl, is_exposed_http, is_loopback


@given(st.integers(min_value=0, max_value=10**14))
def test_duration_round_trip(milliseconds: int) -> None:
    """Every duration exact to the millisecond is read back as it was written."""
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("1s", 1), ("15m", 900), ("12h", 43200), ("30d", 2592000)]
)
def test_duration_units(text: str, seconds: float) -> None:
    """Each unit means what it says."""
    assert parse_duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-1s", "1.5s", "1 s", "1S", "1w", "1h30m", "\u0661s"]
)
def test_duration_refuses(text: str) -> None:
    """What is no number with a unit is refused, a bare number above all."""
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_duration_too_long() -> None:
    """A duration beyond what can be counted is an error that says so, not an overflow."""
    with pytest.raises(ValueError, match="longer than a duration can be"):
        parse_duration("999999999999999d")


@pytest.mark.parametrize("value", [5, 1.5, True, None, ["1s"]])
def test_duration_must_be_text(value: object) -> None:
    """A number without a unit is refused as a field's value."""
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "shortest", "too_short"),
    [(Interval, "1s", "999ms"), (Timeout, "1ms", "0s")],
)
def test_least_durations(kind: Any, shortest: str, too_short: str) -> None:
    """Intervals begin at one second, timeouts above zero."""
    adapter = TypeAdapter(kind)
    assert adapter.validate_python(shortest) == parse_duration(shortest)
    with pytest.raises(ValidationError, match="too short"):
        adapter.validate_python(too_short)


def test_durations_are_dumped_as_written() -> None:
    """Settings shown as JSON have durations in the form they are written in."""
    assert TypeAdapter(Duration).dump_json(timedelta(minutes=90)) == b'"90m"'


@pytest.mark.parametrize(("text", "size"), [("256KiB", 262144), ("1GiB", 2**30), (7, 7)])
def test_sizes(text: object, size: int) -> None:
    """Sizes have binary units, or are a number of bytes."""
    assert TypeAdapter(ByteSize).validate_python(text) == size


@pytest.mark.parametrize("text", ["0", "lots", "-1KiB", "5XiB"])
def test_sizes_refused(text: str) -> None:
    """What is no size, or none at all, is refused."""
    with pytest.raises(ValidationError):
        TypeAdapter(ByteSize).validate_python(text)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example",
        "http://127.0.0.1:8080/api/v1",
        "https://[::1]:8443",
        "http://localhost",
    ],
)
def test_urls(url: str) -> None:
    """A URL to which paths can be added is taken as it stands."""
    assert TypeAdapter(BaseUrl).validate_python(url) == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("api.example", "is not a URL"),
        ("ftp://api.example", "is not a URL"),
        ("https://", "is not a URL"),
        ("https://api.example:99999", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://api.example/", "slash"),
        ("https://api.example/v1/", "slash"),
        ("https://api.example/v1?", "query or a fragment"),
        ("https://api.example/v1?a=b", "query or a fragment"),
        ("https://api.example#x", "query or a fragment"),
        ("https://me:secret@api.example", "user name"),
        ("https://@api.example", "user name"),
        ("https://api.example/a b", "white space"),
        ("https://api.example/\t", "white space"),
    ],
)
def test_urls_refused(url: str, reason: str) -> None:
    """What cannot be built upon is refused with the reason, and without the URL's own text."""
    with pytest.raises(ValidationError, match=reason) as refusal:
        TypeAdapter(BaseUrl).validate_python(url)
    assert "secret" not in refusal.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("pay.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104 - what is not loopback
        ("", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("10.0.0.1", False),
    ],
)
def test_loopback(host: str, *, expected: bool) -> None:
    """Only what cannot leave this machine is loopback."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://api.example", True),
        ("HTTP://api.example", True),
        ("https://api.example", False),
        ("http://127.0.0.1:80", False),
        ("http://[::1]/x", False),
    ],
)
def test_exposed_http(url: str, *, expected: bool) -> None:
    """Plain http counts as exposed unless the host is this machine."""
    assert is_exposed_http(url) is expected
