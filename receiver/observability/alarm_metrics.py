"""What Prometheus is told about alarms, gathered when it asks."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.observability.alarms import Alarms


class AlarmCollector(Collector):
    """Tells which alarms are not over."""

    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms

    def collect(self) -> Iterable[Metric]:
        """Return the gauge as it is now."""
        family = GaugeMetricFamily(
            "payevents_alarm", "1 while an alarm is not over.", labels=["account", "code"]
        )
        for alarm in self._alarms.present:
            family.add_metric([alarm.account, alarm.code], 1)
        return [family]
