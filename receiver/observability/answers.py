"""How webhooks were answered: plain numbers, of which Prometheus is told when it asks.

A counter of its client library takes a lock and looks its labels up each time, and several of them
would be a tenth of what a webhook costs.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from receiver.observability.counted import counted_by
from receiver.observability.durations import Durations

BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Upper bounds in seconds."""


class Answers(Collector):
    """Counts answers by account and status, and how long they took."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, int]] = Counter()
        self._took = Durations(BOUNDS)

    def count(self, account: str, status: int, took: float) -> None:
        """Count an answer that took so many seconds."""
        self._answers[account, status] += 1
        self._took.add(took)

    def total(self, status: int) -> int:
        """Return how many answers had ``status``, over all accounts."""
        return sum(count for (_, given), count in self._answers.items() if given == status)

    def collect(self) -> Iterable[Metric]:
        """Return the counter and the histogram as they are now."""
        what = "Requests to /webhooks/{account}, by what they were answered."
        answers = counted_by("payevents_webhooks", what, "status", self._answers)
        how_long = "From the head of a webhook to its answer."
        return [answers, self._took.histogram("payevents_webhook_seconds", how_long)]
