"""When which watch is due."""

import heapq


class Schedule:
    """The watches by the time they are due, in seconds since 1970.

    A watch that was taken is due no more until it is put back, whatever time it is given
    meanwhile: so that nobody visits one watch twice at once.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []
        self._times: dict[str, float] = {}
        self._taken: set[str] = set()

    def __len__(self) -> int:
        """Return how many watches are scheduled."""
        return len(self._times)

    def put(self, key: str, at: float) -> None:
        """Have ``key`` due at ``at``, instead of any time before."""
        if self._times.get(key) != at:
            self._times[key] = at
            heapq.heappush(self._heap, (at, key))

    def remove(self, key: str) -> None:
        """Have ``key`` due no more."""
        self._times.pop(key, None)

    def take_due(self, now: float) -> str | None:
        """Take a watch that is due; None if there is none."""
        at = self.next_at()
        if at is None or at > now:
            return None
        _, key = heapq.heappop(self._heap)
        del self._times[key]
        self._taken.add(key)
        return key

    def is_taken(self, key: str) -> bool:
        """Tell whether a watch was taken and not put back yet."""
        return key in self._taken

    def put_back(self, key: str) -> None:
        """Have a watch that was taken due again at the time it was given since, if it was."""
        self._taken.discard(key)
        if key in self._times:
            heapq.heappush(self._heap, (self._times[key], key))

    def next_at(self) -> float | None:
        """Return when the next watch is due, None if there is none."""
        # What was replaced, removed or taken stays in the heap until it comes up.
        while self._heap and not self._is_current(*self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def _is_current(self, at: float, key: str) -> bool:
        return self._times.get(key) == at and key not in self._taken
