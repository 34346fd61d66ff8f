"""How long to wait before a worker that ended is started again."""

from collections.abc import Callable
from time import monotonic as system_monotonic
from typing import Final

FIRST: Final = 0.1
"""Seconds before the first new start: a connection that waits hardly notices."""

LONGEST: Final = 30.0
"""Seconds before a new start, at most."""

STEADY: Final = 60.0
"""Seconds that a worker must serve for what was before to be forgotten."""

_MOST_DOUBLINGS = 16


class Backoff:
    """The pauses of one worker; ``monotonic`` is in seconds."""

    def __init__(self, monotonic: Callable[[], float] = system_monotonic) -> None:
        self.failures = 0
        """Ends in a row, none of them after it had served for :data:`STEADY`."""
        self._now = monotonic
        self._serves_since: float | None = None

    def serves(self) -> None:
        """Note that the worker serves from now on."""
        self._serves_since = self._now()

    def ended(self) -> None:
        """Note that the worker ended."""
        since, self._serves_since = self._serves_since, None
        if since is not None and self._now() - since >= STEADY:
            self.failures = 0
        self.failures += 1

    @property
    def pause(self) -> float:
        """Return the seconds to wait before it is started again."""
        doublings = min(self.failures - 1, _MOST_DOUBLINGS)
        return min(FIRST * float(2**doublings), LONGEST)
