"""A circuit breaker: after a failure, no calls for a growing time."""

from random import Random

FIRST_PAUSE = 1.0
"""Seconds: the least pause where nothing else is said."""

_MOST_DOUBLINGS = 30


def backoff(failures: int, longest: float, rng: Random, shortest: float = FIRST_PAUSE) -> float:
    """Return how many seconds to pause after so many failures in a row.

    Drawn from between half a ceiling and the ceiling, so that those who failed together do not come
    back together. The ceiling doubles with each failure, from twice the ``shortest`` pause up to
    ``longest``: each pause is at least as long as the one before, until that is reached.
    """
    ceiling = min(longest, shortest * 2.0 ** min(failures, _MOST_DOUBLINGS))
    return rng.uniform(max(ceiling / 2, min(shortest, longest)), ceiling)


class Breaker:
    """Opens after a failure, for longer each time; then one call at a time tries, until one works.

    Times are in seconds since 1970.
    """

    __slots__ = ("_longest", "_rng", "_shortest", "failures", "open_until")

    def __init__(self, longest: float, rng: Random, shortest: float = FIRST_PAUSE) -> None:
        self.failures = 0
        self.open_until = 0.0
        self._longest = longest
        self._shortest = shortest
        self._rng = rng

    @property
    def is_closed(self) -> bool:
        """Tell whether the last that was heard is good."""
        return self.failures == 0

    def resume(self, failures: int, open_until: float, now: float) -> None:
        """Go on as another owner's breaker; its clock may have been ahead, or ours was set back."""
        self.failures = failures
        self.open_until = min(open_until, now + self._longest)

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
            pause = backoff(self.failures, self._longest, self._rng, self._shortest)
            self.open_until = now + pause

    def succeed(self, now: float) -> None:
        """Close; but what was under way when it opened does not close it."""
        if not self.is_open(now):
            self.failures = 0

    def try_now(self, now: float) -> None:
        """End the pause, so that one call at a time tries."""
        self.open_until = min(self.open_until, now)
