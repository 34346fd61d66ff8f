"""What Prometheus is told."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, generate_latest

from receiver.observability.alarm_metrics import AlarmCollector
from receiver.observability.alarms import Alarms
from receiver.observability.answers import Answers

if TYPE_CHECKING:
    from receiver.routing.tally import Tally


class Metrics:
    """The counters of one process. Labels never hold ids, keys or anything personal."""

    def __init__(self, alarms: Alarms) -> None:
        self.registry = CollectorRegistry()
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

    def routed(self, tally: "Tally") -> None:
        """Add what one transaction routed, once it is committed."""
        by_account = (
            (self.inferred, tally.inferred),
            (self.late, tally.late),
            (self.duplicates, tally.duplicates),
            (self.look_ups, tally.look_ups),
        )
        for counter, counts in by_account:
            for account, count in counts.items():
                counter.labels(account).inc(count)
        by_account_and_word = (
            (self.observations, tally.observations),
            (self.events, tally.events),
            (self.dead_letters, tally.dead_letters),
        )
        for counter, worded in by_account_and_word:
            for labels, count in worded.items():
                counter.labels(*labels).inc(count)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
