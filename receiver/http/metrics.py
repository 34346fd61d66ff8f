"""What Prometheus is told about the load on the public listener, gathered when it asks."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.http.admission import Refusal
from receiver.http.connections import Connections


class LoadCollector(Collector):
    """Tells what senders hold here, and how often one was turned away."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def collect(self) -> Iterable[Metric]:
        """Return the gauges and the counter as they are now."""
        admission = self._connections.admission
        pending = GaugeMetricFamily(
            "payevents_http_pending_bytes",
            "Bytes of requests that are not answered yet.",
            labels=["share"],
        )
        pending.add_metric(["arriving"], admission.arriving)
        pending.add_metric(["kept"], admission.kept)
        refused = CounterMetricFamily(
            "payevents_http_refusals",
            "Requests and connections refused or cut off for want of room or time.",
            labels=["why"],
        )
        for refusal in Refusal:
            refused.add_metric([refusal.value], admission.refused[refusal])
        open_now = GaugeMetricFamily(
            "payevents_http_connections", "Open connections.", len(self._connections)
        )
        return [pending, open_now, refused]
