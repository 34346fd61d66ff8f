"""The counters of what was routed, as Prometheus reads them."""

from prometheus_client import CollectorRegistry, generate_latest

from receiver.observability.routed import Routed
from receiver.routing.tally import Tally


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
        routed.add(tally)
    lines = generate_latest(registry).decode().splitlines()
    assert {line for line in lines if not line.startswith("#")} == {
        'payevents_observations_total{account="shop",origin="webhook"} 5.0',
        'payevents_events_total{account="shop",type="payments.invoice.paid"} 2.0',
        'payevents_dead_letters_total{account="shop",reason="not-json"} 5.0',
        'payevents_inferred_total{account="shop"} 5.0',
        'payevents_late_total{account="shop"} 5.0',
        'payevents_duplicate_facts_total{account="shop"} 5.0',
        'payevents_history_facts_total{account="shop"} 5.0',
        'payevents_look_ups_total{account="shop"} 0.0',
    }
