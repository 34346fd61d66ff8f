"""Value types of the settings: durations and sizes written as text, topic names, secrets."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import pydantic
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StringConstraints

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_DURATION = re.compile(r"([0-9]{1,15})(ms|s|m|h|d)")
_SIZES = {"TiB": 2**40, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10}


class TooLong(ValueError):
    """A duration that is longer than one can be."""


def parse_duration(text: str) -> timedelta:
    """Read a duration such as "500ms", "1s", "15m", "12h" or "30d".

    Raises `ValueError` for anything else, a bare number too: seconds and milliseconds are
    confused too easily; that is `TooLong` where only its length is wrong.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        message = f'{text!r} is not a duration: write a number and its unit, such as "500ms", '
        message += '"30s", "15m", "12h" or "30d"'
        raise ValueError(message)
    try:
        return int(match[1]) * _UNITS[match[2]]
    except OverflowError:
        message = f"{text!r} is longer than a duration can be"
        raise TooLong(message) from None


def format_duration(duration: timedelta) -> str:
    """Write a duration, exact to the millisecond, as `parse_duration` reads it."""
    if not duration:
        return "0s"
    for unit, length in _UNITS.items():
        if duration % length == timedelta(0):
            return f"{duration // length}{unit}"
    return f"{duration // _UNITS['ms']}ms"


def format_size(size: int) -> str:
    """Write a number of bytes with the largest binary unit that divides it."""
    for unit, length in _SIZES.items():
        if size and size % length == 0:
            return f"{size // length}{unit}"
    return f"{size}B"


def _read_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    return parse_duration(value if isinstance(value, str) else str(value))


@dataclass(frozen=True)
class AtLeast:
    """A check that a duration is no shorter than `least`; `told` says so in a few words."""

    least: timedelta
    told: str

    def __call__(self, duration: timedelta) -> timedelta:
        """Return the duration; raises `ValueError` if it is shorter."""
        if duration < self.least:
            message = f"{format_duration(duration)} is too short: it must be {self.told}"
            raise ValueError(message)
        return duration


Duration = Annotated[
    timedelta, BeforeValidator(_read_duration), PlainSerializer(format_duration, when_used="json")
]
"""A length of time, zero allowed, written as "500ms", "1s", "15m", "12h" or "30d"."""

Timeout = Annotated[Duration, AfterValidator(AtLeast(timedelta(milliseconds=1), "more than zero"))]
"""A `Duration` of at least one millisecond."""

Interval = Annotated[Duration, AfterValidator(AtLeast(timedelta(seconds=1), "one second at least"))]
"""A `Duration` of at least one second, for what is done again and again or kept for a while."""

ByteSize = Annotated[pydantic.ByteSize, Field(gt=0)]
"""A number of bytes, written as "256KiB", "1GiB" or a plain number."""

Port = Annotated[int, Field(ge=0, le=65535)]
"""A TCP port; 0 takes a free one."""

TopicName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
"""A topic's name within Kafka's rules."""

TopicPrefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{0,200}$")]
"""What may stand before a topic's name."""

ACCOUNT_NAME = r"[a-z0-9][a-z0-9_-]*"

AccountName = Annotated[str, StringConstraints(pattern=rf"^{ACCOUNT_NAME}$")]
"""An account's name: it is part of every id and of the webhook's path."""
