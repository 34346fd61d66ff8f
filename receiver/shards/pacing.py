"""Pacing: the routers' shards of a process take turns with small transactions.

What is fixed about a transaction costs a millisecond of the processor, and ten records no more
than that. Without turns each of many shards would commit every record or two by itself, until the
process had time for nothing else.
"""

import math

APART = 0.003
"""Seconds between two turns: about as long as Kafka takes to write the markers of a commit, before
which it lets the session begin no other transaction."""

LONGEST = 0.25
"""Seconds that nobody rests beyond, however many take turns: latency counts more than processors
then, and those can be added."""


class Pacing:
    """Gives the shards of a process their turns; times are in seconds of any steady clock.

    A shard without a backlog rests after a transaction, and then takes all that has come. One whose
    turn is past waits for nothing: where little comes, a record is committed at once.
    """

    def __init__(self) -> None:
        self._last = -math.inf

    def rest(self, now: float) -> float:
        """Return how long a shard is to rest that has just committed."""
        self._last = min(max(now, self._last) + APART, now + LONGEST)
        return self._last - now
