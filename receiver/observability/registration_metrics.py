"""What Prometheus is told of webhooks' registrations, gathered when it asks."""

from collections.abc import Callable, Iterable
from time import time

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.accounts.registry import Accounts
from receiver.care.known import Care, CareSource
from receiver.observability.care_status import situation_of
from receiver.registration.condition import Condition, State, conditions
from receiver.registration.situation import Situation
from receiver.registration.vitals import UNKNOWN

_OF_TOPIC = ["account", "topic"]


class RegistrationCollector(Collector):
    """Tells of each account that a poller shard of this process has, and of no other.

    ``now`` returns the present time, in seconds since 1970.
    """

    def __init__(
        self, accounts: Accounts, care: CareSource, now: Callable[[], float] = time
    ) -> None:
        self._accounts = accounts
        self._care = care
        self._now = now

    def collect(self) -> Iterable[Metric]:
        """Return the gauges as they are now."""
        gauges = _Gauges()
        for name, care in sorted(self._care.accounts().items()):
            handler = self._accounts.get(name)
            situation = None if handler is None else situation_of(handler, care, self._now())
            if situation is not None:
                gauges.add(name, care, situation)
        return gauges.all


class _Gauges:
    def __init__(self) -> None:
        self._undeliverable = GaugeMetricFamily(
            "payevents_webhook_undeliverable_at_least",
            "How many undeliverable webhooks the provider may have counted, of those that arrived.",
            labels=_OF_TOPIC,
        )
        self._life = GaugeMetricFamily(
            "payevents_webhook_last_life_seconds",
            "When a webhook last told something new, in seconds since 1970.",
            labels=_OF_TOPIC,
        )
        self._proven = GaugeMetricFamily(
            "payevents_registration_proven",
            "1 while a topic is registered to lead here and what we caused has arrived.",
            labels=_OF_TOPIC,
        )
        self._missed = GaugeMetricFamily(
            "payevents_missed_facts",
            "Facts that were found and that no webhook has announced.",
            labels=_OF_TOPIC,
        )
        self._reconciled = GaugeMetricFamily(
            "payevents_last_reconciliation_timestamp_seconds",
            "When a listing was last read for what no webhook told.",
            labels=["account"],
        )

    @property
    def all(self) -> list[Metric]:
        return [self._undeliverable, self._life, self._proven, self._missed, self._reconciled]

    def add(self, account: str, care: Care, situation: Situation) -> None:
        for one in conditions(situation):
            self._add_topic(account, one)
        # Those whose topic nobody knows may count for any; other words anyone can write.
        extra = [UNKNOWN] if UNKNOWN in care.vitals.topics else []
        for topic in (*situation.registration.topics, *extra):
            self._add_failures(account, topic, situation)
        if care.windows_read_at is not None:
            self._reconciled.add_metric([account], care.windows_read_at)

    def _add_topic(self, account: str, one: Condition) -> None:
        labels = [account, one.topic]
        self._proven.add_metric(labels, float(one.state is State.PROVEN))
        self._missed.add_metric(labels, one.missed)
        if one.vitals.alive_at is not None:
            self._life.add_metric(labels, one.vitals.alive_at)

    def _add_failures(self, account: str, topic: str, situation: Situation) -> None:
        budget = situation.failure_budget(topic)
        self._undeliverable.add_metric([account, topic], budget.at_least)
