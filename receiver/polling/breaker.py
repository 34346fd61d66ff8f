"""A circuit breaker: after a failure, no calls for a growing time."""

from random import Random

FIRST_PAUSE = 1.0
"""Seconds: the least pause, so that a lucky draw cannot turn it into none."""

_MOST_DOUBLINGS = 30


def backoff(failures: int, longest: float, rng: Random) -> float:
    """Return how many seconds to pause after so many failures in a row, at least one.

    With full jitter: drawn from all between the least pause and a ceiling that doubles with each
    failure up to ``longest``, so that those who failed together do not come back together.
    """
    ceiling = min(longest, FIRST_PAUSE * 2.0 ** min(failures, _MOST_DOUBLINGS))
    return rng.uniform(min(FIRST_PAUSE, longest), ceiling)


class Breaker:
    """Opens after a failure, for longer each time; then one call at a time tries, until one works.

    Times are in seconds since 1970.
    """

    def __init__(self, longest: float, rng: Random) -> None:
        self.failures = 0
        self.open_until = 0.0
        self._longest = longest
        self._rng = rng

    @property
    def is_closed(self) -> bool:
        """Tell whether the last that was heard is good."""
        return self.failures == 0

    def is_open(self, now: float) -> bool:
        """Tell whether nothing may be called at ``now``."""
        return now < self.open_until

    def fail(self, now: float, *, longest: bool = False) -> None:
        """Open, for the longest time at once where the account itself is at risk.

        Calls that were under way together and fail together count as one failure.
        """
        if longest:
            self.failures += 1
            self.open_until = now + self._longest
        elif not self.is_open(now):
            self.failures += 1
            self.open_until = now + backoff(self.failures, self._longest, self._rng)

    def succeed(self, now: float) -> None:
        """Close; but what was under way when it opened does not close it."""
        if not self.is_open(now):
            self.failures = 0
