"""What Prometheus is told."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from handlers.observation import Observation
from receiver.observability.alarms import Alarms

if TYPE_CHECKING:
    from receiver.routing.route import Consequences


class Metrics:
    """The counters of one process. Labels never hold ids, keys or anything personal."""

    def __init__(self, alarms: Alarms) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_AlarmCollector(alarms))
        self.webhooks = Counter(
            "payevents_webhooks",
            "Requests to /webhooks/{account}, by what they were answered.",
            ["account", "status"],
            registry=self.registry,
        )
        self.webhook_seconds = Histogram(
            "payevents_webhook_seconds",
            "From the first byte of a webhook's head to its answer.",
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
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
        self.calls = Counter(
            "payevents_provider_calls",
            "Requests to providers, by HTTP status or failure.",
            ["account", "result"],
            registry=self.registry,
        )
        self.observations = Counter(
            "payevents_observations",
            "Observations routed.",
            ["account", "origin"],
            registry=self.registry,
        )
        self.events = Counter(
            "payevents_events",
            "Events published.",
            ["account", "type"],
            registry=self.registry,
        )
        self.inferred = Counter(
            "payevents_inferred", "Events that were inferred.", ["account"], registry=self.registry
        )
        self.late = Counter(
            "payevents_late", "Events that came late.", ["account"], registry=self.registry
        )
        self.duplicates = Counter(
            "payevents_duplicate_facts",
            "Facts asserted again and dropped.",
            ["account"],
            registry=self.registry,
        )
        self.dead_letters = Counter(
            "payevents_dead_letters",
            "Observations that could not become events.",
            ["account", "reason"],
            registry=self.registry,
        )
        self.look_ups = Counter(
            "payevents_look_ups",
            "Claims that the provider is asked about.",
            ["account"],
            registry=self.registry,
        )

    def routed(self, observation: Observation, result: "Consequences") -> None:
        """Count one observation and what followed from it, once that is committed."""
        account = observation.account
        self.observations.labels(account, observation.origin.value).inc()
        self.duplicates.labels(account).inc(result.duplicates)
        for outgoing in result.events:
            event = outgoing.event
            self.events.labels(account, event.type).inc()
            self.inferred.labels(account).inc(event.data.inferred)
            self.late.labels(account).inc(event.data.late)
        for refusal in result.refusals:
            self.dead_letters.labels(account, refusal.reason).inc()
        if result.look_up is not None:
            self.look_ups.labels(account).inc()

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


class _AlarmCollector(Collector):
    def __init__(self, alarms: Alarms) -> None:
        self._alarms = alarms

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            "payevents_alarm", "1 while an alarm is not over.", labels=["account", "code"]
        )
        for alarm in self._alarms.present:
            family.add_metric([alarm.account, alarm.code], 1)
        yield family
