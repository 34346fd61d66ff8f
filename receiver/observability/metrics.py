"""What Prometheus is told."""

from prometheus_client import CollectorRegistry, Counter, ProcessCollector, generate_latest

from receiver.observability.alarm_metrics import AlarmCollector
from receiver.observability.alarms import Alarms
from receiver.observability.answers import Answers
from receiver.observability.calls import Calls
from receiver.observability.routed import Routed


class Metrics:
    """The counters of one process. Labels never hold ids, keys or anything personal."""

    def __init__(self, alarms: Alarms) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(AlarmCollector(alarms))
        self.answers = Answers()
        self.registry.register(self.answers)
        self.undeliverable = Counter(
            "payevents_undeliverable",
            "Requests of a provider that it may count as undeliverable.",
            ["account", "topic", "reason"],
            registry=self.registry,
        )
        self.spooled = Counter(
            "payevents_spooled",
            "Webhooks accepted on disk because Kafka did not take them.",
            ["account"],
            registry=self.registry,
        )
        self.calls = Calls()
        self.registry.register(self.calls)
        self.routed = Routed()
        self.registry.register(self.routed)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
