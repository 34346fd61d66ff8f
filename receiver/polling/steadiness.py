"""Noticing that the clock was set: every time that was remembered by it is meaningless then."""

from collections.abc import Callable

from handlers.clock import Clock
from receiver.shards.session import SessionLost

_MOST_DRIFT = 30.0
"""Seconds by which the clock may run ahead of, or behind, the passing of time: more was a jump."""


class ClockJumped(SessionLost):
    """The clock was set forwards or back: start the shard again with what it says now."""


class Steadiness:
    """Compares the clock with the passing of time, which no one can set."""

    def __init__(self, clock: Clock, monotonic: Callable[[], float]) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._began = self._distance()

    def check(self) -> None:
        """Do nothing as long as the clock goes with the time.

        Raises:
            ClockJumped: it was set by more than half a minute since this object was made.
        """
        drift = self._distance() - self._began
        if abs(drift) > _MOST_DRIFT:
            raise ClockJumped(f"the clock was set by {drift:+.0f} seconds")

    def _distance(self) -> float:
        return self._clock().timestamp() - self._monotonic()
