"""The counters of what was routed, as Prometheus reads them."""

from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry, generate_latest

from receiver.observability.routed import Routed
from receiver.routing.tally import Tally

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_the_tallies_of_transactions_are_added_up() -> None:
    """By account, and by what is counted; what an account never had so far is nought."""
    routed, registry = Routed(), CollectorRegistry()
    registry.register(routed)
    for count in (2, 3):
        tally = Tally()
        tally.observations += [("shop", "webhook")] * count
        tally.events.append(("shop", "payments.invoice.paid"))
        tally.dead_letters += [("shop", "not-json")] * count
        for accounts in (tally.inferred, tally.late, tally.duplicates, tally.history):
            accounts.extend(["shop"] * count)
        routed.add(tally, NOW)
    lines = generate_latest(registry).decode().splitlines()
    assert {line for line in lines if not line.startswith(("#", "payevents_routing"))} == {
        'payevents_observations_total{account="shop",origin="webhook"} 5.0',
        'payevents_events_total{account="shop",type="payments.invoice.paid"} 2.0',
        'payevents_dead_letters_total{account="shop",reason="not-json"} 5.0',
        'payevents_inferred_total{account="shop"} 5.0',
        'payevents_late_total{account="shop"} 5.0',
        'payevents_duplicate_facts_total{account="shop"} 5.0',
        'payevents_history_facts_total{account="shop"} 5.0',
        'payevents_look_ups_total{account="shop"} 0.0',
    }


def test_how_long_the_oldest_waited_is_a_histogram() -> None:
    """One of each transaction; of a clock that is ahead it is nought; nothing is no time."""
    routed, registry = Routed(), CollectorRegistry()
    registry.register(routed)
    for seconds in (0.02, 90, -3, None):
        tally = Tally()
        tally.oldest = None if seconds is None else NOW - timedelta(seconds=seconds)
        routed.add(tally, NOW)
    lines = generate_latest(registry).decode().splitlines()
    for bucket, count in {"0.01": 1, "0.025": 2, "60.0": 2, "300.0": 3, "+Inf": 3}.items():
        assert f'payevents_routing_seconds_bucket{{le="{bucket}"}} {count}.0' in lines
    assert "payevents_routing_seconds_sum 90.02" in lines
