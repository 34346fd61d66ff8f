"""What is promised of the registration: it leads here, is enabled, proven and not suspected."""

from handlers.provider import Handler
from receiver.polling.entry import WatchEntry
from receiver.registration.condition import Condition, State, conditions
from receiver.registration.registered import REGISTRATION, Registered
from receiver.registration.situation import Situation
from receiver.registration.vitals import Vitals, vitals_key
from tests.simulation.cluster import Cluster
from tests.simulation.loop import moment
from tests.simulation.programs import ACCOUNT
from tests.simulation.verdict import restored
from tests.simulation.week.plan import WEBHOOK_URL
from tests.simulation.week.smartpay import SmartPay
from tests.simulation.world import TOPICS


def assert_registered(cluster: Cluster, smartpay: SmartPay, handler: Handler) -> None:
    """Assert that all topics are notified to us, enabled, proven, and not suspected."""
    registration = handler.registration
    assert registration is not None
    webhooks = smartpay.sandbox._merchant.webhooks.by_id.values()
    enabled = sorted(w.topic for w in webhooks if w.url == WEBHOOK_URL and w.is_enabled)
    assert enabled == sorted(registration.topics), f"enabled here are only {enabled}"
    states = {c.topic: c.state for c in _conditions(cluster, handler)}
    assert set(states.values()) == {State.PROVEN}, f"not all is proven: {states}"


def _conditions(cluster: Cluster, handler: Handler) -> list[Condition]:
    registered, vitals = Registered(), Vitals()
    for partition in cluster.partitions_of(TOPICS.watchlist):
        entries = restored(cluster, partition).entries
        watch = entries.get(f"{ACCOUNT}/{REGISTRATION}/".encode())
        if watch is not None:
            registered = Registered.decode(WatchEntry.decode(watch).memory)
            vitals = Vitals.decode(entries.get(vitals_key(ACCOUNT).encode()))
    assert handler.registration is not None
    now = moment().timestamp()
    return conditions(Situation(handler.registration, registered, vitals, WEBHOOK_URL, now))
