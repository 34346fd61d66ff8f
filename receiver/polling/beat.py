"""When shards have their turns."""

_TOGETHER = 0.005
"""Seconds between two turns: what has happened meanwhile costs less if it is taken together."""


class Beat:
    """The turns of all shards of a process are at the same time, for the same reason.

    What the first of them needed is still at hand for the processor when the next one needs it.
    """

    def __init__(self) -> None:
        self._next = 0.0

    def after(self, at: float) -> float:
        """Return when the next turn is of a shard that had its last one ``at``.

        It may be over: who had nothing to do for long has its turn at once. By the loop's time.
        """
        if self._next <= at:
            self._next = at + _TOGETHER
        return self._next
