"""A histogram for Prometheus, from plain numbers."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import inf

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString


class Durations:
    """Counts how often something took how long. ``bounds`` are upper ones in seconds, ascending."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = (*bounds, inf)
        self._within = [0] * len(self._bounds)
        self._seconds = 0.0

    def add(self, took: float) -> None:
        """Count what took so many seconds."""
        self._within[bisect_left(self._bounds, took)] += 1
        self._seconds += took

    def histogram(self, name: str, text: str) -> Metric:
        """Return it as it is now."""
        bounds = map(floatToGoString, self._bounds)
        buckets = list(zip(bounds, accumulate(self._within), strict=True))
        return HistogramMetricFamily(name, text, buckets=buckets, sum_value=self._seconds)
