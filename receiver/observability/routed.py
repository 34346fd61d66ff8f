"""What was routed: plain numbers, of which Prometheus is told when it asks.

With thousands of accounts a transaction holds a record or two of each, and to look up the labels of
several counters of its client library for each of them would be a tenth of what routing costs.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.observability.counted import counted_by
from receiver.observability.durations import Durations

if TYPE_CHECKING:
    from receiver.routing.tally import Tally

BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800)
"""Upper bounds in seconds."""


class Routed(Collector):
    """Adds up the tallies of transactions: by account, and some by one word more."""

    def __init__(self) -> None:
        self.observations: Counter[tuple[str, str]] = Counter()
        self.events: Counter[tuple[str, str]] = Counter()
        self.inferred: Counter[str] = Counter()
        self.late: Counter[str] = Counter()
        self.duplicates: Counter[str] = Counter()
        self.history: Counter[str] = Counter()
        self.dead_letters: Counter[tuple[str, str]] = Counter()
        self.look_ups: Counter[str] = Counter()
        self.waited = Durations(BOUNDS)

    def add(self, tally: "Tally", now: datetime) -> None:
        """Add what one transaction routed, once it is committed."""
        if tally.oldest is not None:
            # Whoever received it has another clock, which may be ahead.
            self.waited.add(max(0.0, (now - tally.oldest).total_seconds()))
        self.observations.update(tally.observations)
        self.events.update(tally.events)
        self.inferred.update(tally.inferred)
        self.late.update(tally.late)
        self.duplicates.update(tally.duplicates)
        self.history.update(tally.history)
        self.dead_letters.update(tally.dead_letters)
        self.look_ups.update(tally.look_ups)

    def collect(self) -> Iterable[Metric]:
        """Return the counters as they are now."""
        observations, events = "Observations routed.", "Events published."
        refused = "Observations that could not become events."
        inferred, late = "Events that were inferred.", "Events that came late."
        dropped = "Facts asserted again and dropped."
        remembered = "Facts from before import_since, entered in the ledger without an event."
        asked = "Claims that the provider is asked about."
        waited = (
            "From the receipt of the oldest observation of a transaction until it was committed; "
            "dead letters that were tried again do not count."
        )
        # An account has a nought as soon as it is known, or its first of anything would go unseen.
        accounts = dict.fromkeys(account for account, _ in self.observations).keys()
        return [
            counted_by("payevents_observations", observations, "origin", self.observations),
            counted_by("payevents_events", events, "type", self.events),
            _by_account("payevents_inferred", inferred, accounts, self.inferred),
            _by_account("payevents_late", late, accounts, self.late),
            _by_account("payevents_duplicate_facts", dropped, accounts, self.duplicates),
            _by_account("payevents_history_facts", remembered, accounts, self.history),
            counted_by("payevents_dead_letters", refused, "reason", self.dead_letters),
            _by_account("payevents_look_ups", asked, accounts, self.look_ups),
            self.waited.histogram("payevents_routing_seconds", waited),
        ]


def _by_account(name: str, text: str, accounts: Collection[str], counts: Counter[str]) -> Metric:
    family = CounterMetricFamily(name, text, labels=["account"])
    for account in accounts:
        family.add_metric([account], counts[account])
    return family
