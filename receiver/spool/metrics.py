"""What Prometheus is told about the spool, gathered when it asks."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.spool.spool import Spool


class SpoolCollector(Collector):
    """Tells how much waits on disk, and whether the disk can be trusted."""

    def __init__(self, spool: Spool, max_bytes: int) -> None:
        self._spool = spool
        self._max_bytes = max_bytes

    def collect(self) -> Iterable[Metric]:
        """Return the gauges as they are now."""
        spool = self._spool
        return [
            GaugeMetricFamily(
                "payevents_spool_observations", "Webhooks on disk for Kafka.", spool.count
            ),
            GaugeMetricFamily("payevents_spool_bytes", "Their size.", spool.bytes),
            GaugeMetricFamily(
                "payevents_spool_max_bytes", "The size that is allowed.", self._max_bytes
            ),
            GaugeMetricFamily(
                "payevents_spool_available",
                "1 while webhooks can be written to disk.",
                float(spool.available),
            ),
        ]
