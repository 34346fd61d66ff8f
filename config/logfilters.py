"""What of other libraries' log lines is kept out: floods, and the bytes that strangers sent."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from aiohttp.http_exceptions import HttpProcessingError

SUPPRESSED = "suppressed"
"""The attribute of a record that counts the lines like it which were left out before it."""

_MISSING_TOPIC = "Topic %s not found in cluster metadata"
"""The template of the line in aiokafka/cluster.py, aiokafka 0.14."""

_MOST_TEMPLATES = 512
"""How many different lines are counted; a library that puts values into its template has many."""


@dataclass(slots=True)
class _Window:
    began: float
    passed: int = 1
    suppressed: int = 0


class FloodFilter(logging.Filter):
    """Lets through `limit` lines of the same logger and template in each `period`.

    The first line of a later period carries the number left out, as its attribute `suppressed`.
    aiokafka writes tens of thousands of lines while brokers are away.
    """

    def __init__(
        self,
        loggers: Sequence[str],
        *,
        limit: int,
        period: timedelta,
        clock: Callable[[], float],
    ) -> None:
        """Watch `loggers` and those below them; `clock` is monotonic, in seconds."""
        super().__init__()
        self._names = tuple(loggers)
        self._below = tuple(f"{name}." for name in loggers)
        self._limit = limit
        self._period = period.total_seconds()
        self._clock = clock
        self._windows: dict[tuple[str, str], _Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is let through."""
        if record.name not in self._names and not record.name.startswith(self._below):
            return True
        now = self._clock()
        key = (record.name, str(record.msg))
        window = self._windows.get(key)
        if window is None or now - window.began >= self._period:
            if window is not None and window.suppressed:
                setattr(record, SUPPRESSED, window.suppressed)
            self._begin(key, now)
            return True
        if window.passed < self._limit:
            window.passed += 1
            return True
        window.suppressed += 1
        return False

    def _begin(self, key: tuple[str, str], now: float) -> None:
        self._windows.pop(key, None)
        if len(self._windows) >= _MOST_TEMPLATES:
            del self._windows[next(iter(self._windows))]
        self._windows[key] = _Window(now)


class MissingTopicFilter(logging.Filter):
    """Leaves out that a topic is missing: aiokafka says so for each topic at each try.

    What waits for the topic says it once, and what to do about it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is let through."""
        is_library = record.name.startswith("aiokafka.")
        return not (is_library and record.msg == _MISSING_TOPIC)


class MalformedRequestFilter(logging.Filter):
    """Leaves only the kind of error of a request that was not HTTP.

    aiohttp's message repeats the offending line, and that may be a header with a credential.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, without the bytes of a malformed request."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.msg = f"{record.getMessage()}: {type(error).__name__}"
            record.args = None
            record.exc_info = record.exc_text = None
        return True
