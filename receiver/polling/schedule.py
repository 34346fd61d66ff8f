"""When which watch is due."""

import heapq
from collections.abc import Callable, Hashable
from math import floor, inf
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Schedule(Generic[K]):
    """Keys by the time they are due, in seconds since 1970, in a few bytes for each.

    The time itself is kept elsewhere: ``due`` looks it up, None where a key is due no more. Here a
    key stands in a list of all those of the same second, and they are put in order only when that
    second comes. Where its time has changed it stands in several, and counts in one.

    A key that was taken is due no more until it is put back, whatever time it is given meanwhile:
    so that nobody visits one watch twice at once.
    """

    def __init__(self, due: Callable[[K], float | None]) -> None:
        self._due = due
        self._later: dict[int, list[K]] = {}
        self._seconds: list[int] = []
        """A heap of the seconds that :attr:`_later` has."""
        self._soon: list[tuple[float, K]] = []
        """A heap of what is due before :attr:`_soon_ends`."""
        self._soon_ends = -inf
        self._taken: dict[K, K] = {}

    def put(self, key: K, at: float) -> None:
        """Have ``key`` due at ``at``, which is what ``due`` says of it from now on."""
        if key in self._taken:
            return
        if at < self._soon_ends:
            heapq.heappush(self._soon, (at, key))
            return
        second = floor(at)
        keys = self._later.get(second)
        if keys is None:
            keys = self._later[second] = []
            heapq.heappush(self._seconds, second)
        keys.append(key)

    def take_due(self, now: float) -> K | None:
        """Take a key that is due, the earliest first; None if there is none."""
        while True:
            while self._soon and self._soon[0][0] <= now:
                at, key = heapq.heappop(self._soon)
                if key not in self._taken and self._due(key) == at:
                    self._taken[key] = key
                    return key
            if self._soon or not self._seconds or self._seconds[0] > now:
                return None
            self._begin_second()

    def is_taken(self, key: K) -> bool:
        """Tell whether a key was taken and not put back yet."""
        return key in self._taken

    def put_back(self, key: K) -> None:
        """Have a key that was taken due again at the time it was given since, if it was."""
        # The very object that was taken, which whoever keeps the times has too: an equal one would
        # take up memory of its own.
        key = self._taken.pop(key, key)
        at = self._due(key)
        if at is not None:
            self.put(key, at)

    def next_at(self) -> float | None:
        """Return a time before which nothing is due, None if nothing ever is.

        It is less than a second too early, or that of a key whose time has changed.
        """
        if self._soon:
            return self._soon[0][0]
        return float(self._seconds[0]) if self._seconds else None

    def _begin_second(self) -> None:
        second = heapq.heappop(self._seconds)
        self._soon_ends = second + 1
        for key in self._later.pop(second):
            at = self._due(key)
            if at is not None and floor(at) == second:
                self._soon.append((at, key))
        heapq.heapify(self._soon)
