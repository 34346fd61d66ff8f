"""A circuit breaker: after a failure, no calls for a growing time."""

from random import Random

FIRST_PAUSE = 1.0
"""Seconds; doubled with each failure in a row."""


def backoff(failures: int, longest: float, rng: Random) -> float:
    """Return how many seconds to pause after so many failures in a row, with full jitter.

    Half of the pause is certain, so that a lucky draw cannot turn it into none.
    """
    ceiling = min(longest, FIRST_PAUSE * 2.0 ** min(failures - 1, 30))
    return ceiling / 2 + rng.uniform(0, ceiling / 2)


class Breaker:
    """Opens after a failure, for longer each time; one success closes it."""

    def __init__(self, longest: float, rng: Random) -> None:
        self.failures = 0
        self.open_until = 0.0
        self._longest = longest
        self._rng = rng

    def is_open(self, now: float) -> bool:
        """Tell whether nothing may be called at ``now``."""
        return now < self.open_until

    def fail(self, now: float, *, longest: bool = False) -> None:
        """Open, for the longest time at once where the account itself is at risk."""
        self.failures += 1
        pause = self._longest if longest else backoff(self.failures, self._longest, self._rng)
        self.open_until = max(self.open_until, now + pause)

    def succeed(self) -> None:
        """Close."""
        self.failures = 0
        self.open_until = 0.0
