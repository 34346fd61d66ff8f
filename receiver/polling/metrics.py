"""What Prometheus is told of the budgets of calls, gathered when it asks."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.polling.owned import OwnedAccounts


class BudgetCollector(Collector):
    """Tells of each account that this process owns, and of no other."""

    def __init__(self, owned: OwnedAccounts) -> None:
        self._owned = owned

    def collect(self) -> Iterable[Metric]:
        """Return the gauges as they are now."""
        used = GaugeMetricFamily(
            "payevents_provider_budget_used",
            "The share of an account's calls that were made in the last period.",
            labels=["account"],
        )
        allowed = GaugeMetricFamily(
            "payevents_provider_budget_calls",
            "How many calls an account may make in a period.",
            labels=["account"],
        )
        for name, budget in self._owned.budgets:
            used.add_metric([name], budget.used() / budget.calls)
            allowed.add_metric([name], budget.calls)
        return [used, allowed]
