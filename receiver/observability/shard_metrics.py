"""What Prometheus is told about shards, gathered when it asks."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.roles import Role
from receiver.shards.membership import Membership
from receiver.shards.shard import ShardState

_LABELS = ["role", "partition"]


class ShardCollector(Collector):
    """Tells which partitions this process works on, and how many records wait in each."""

    def __init__(self, memberships: Mapping[Role, Membership]) -> None:
        self._memberships = memberships

    def collect(self) -> Iterable[Metric]:
        """Return the gauges as they are now."""
        running = GaugeMetricFamily(
            "payevents_shard_running",
            "1 while the shard of a partition owned here runs, 0 while it does not.",
            labels=_LABELS,
        )
        lag = GaugeMetricFamily(
            "payevents_shard_lag_records",
            "Input records that wait, where that is known.",
            labels=_LABELS,
        )
        for role, membership in self._memberships.items():
            for shard in membership.shards:
                labels = [role.value, str(shard.partition)]
                running.add_metric(labels, float(shard.state is ShardState.RUNNING))
                waiting = None if shard.open is None else shard.open.lag()
                if waiting is not None:
                    lag.add_metric(labels, waiting)
        return [running, lag]
