"""Requests to providers: plain numbers, of which Prometheus is told when it asks.

A counter of its client library takes a lock and checks its labels each time, and with thousands of
accounts each has a few objects of its own, none of which the processor has at hand.
"""

from collections import Counter
from collections.abc import Iterable

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from receiver.observability.counted import counted_by


class Calls(Collector):
    """Counts requests by account and result: the status of an answer, or the kind of a failure."""

    def __init__(self) -> None:
        self._calls: Counter[tuple[str, int | str]] = Counter()

    def count(self, account: str, result: int | str) -> None:
        """Count a request."""
        self._calls[account, result] += 1

    def collect(self) -> Iterable[Metric]:
        """Return the counter as it is now."""
        what = "Requests to providers, by HTTP status or failure."
        return [counted_by("payevents_provider_calls", what, "result", self._calls)]
