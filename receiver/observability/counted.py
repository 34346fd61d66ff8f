"""A counter for Prometheus, from plain numbers."""

from collections.abc import Mapping
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, Metric

_Word = TypeVar("_Word")


def counted_by(name: str, text: str, word: str, counts: Mapping[tuple[str, _Word], int]) -> Metric:
    """Return a counter of ``counts``, each of an account and one ``word`` more."""
    family = CounterMetricFamily(name, text, labels=["account", word])
    for (account, given), count in counts.items():
        family.add_metric([account, str(given)], count)
    return family
