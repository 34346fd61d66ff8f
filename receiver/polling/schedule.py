"""When which watch is due."""

import heapq


class Schedule:
    """The watches by the time they are due; to schedule one again replaces its time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []
        self._times: dict[str, float] = {}

    def __len__(self) -> int:
        """Return how many watches are scheduled."""
        return len(self._times)

    def put(self, key: str, at: float) -> None:
        """Have ``key`` due at ``at``, in seconds since 1970."""
        if self._times.get(key) != at:
            self._times[key] = at
            heapq.heappush(self._heap, (at, key))

    def remove(self, key: str) -> None:
        """Have ``key`` due no more."""
        self._times.pop(key, None)

    def next_at(self) -> float | None:
        """Return when the next watch is due, None if there is none."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> str | None:
        """Return a watch that is due, and unschedule it; None if there is none."""
        self._drop_stale()
        if not self._heap or self._heap[0][0] > now:
            return None
        _, key = heapq.heappop(self._heap)
        del self._times[key]
        return key

    def _drop_stale(self) -> None:
        # Entries of the heap that were replaced or removed are dropped when they come up.
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
