"""What is promised of an account beside its events: registered, within its budget, soon found."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from handlers.provider import Handler
from handlers.smartpay.settings import SmartPaySettings
from receiver.polling.entry import WatchEntry
from receiver.registration.condition import Condition, State, conditions
from receiver.registration.registered import REGISTRATION, Registered
from receiver.registration.situation import Situation
from receiver.registration.vitals import Vitals, vitals_key
from tests.chaos.story import Fact
from tests.simulation.cluster import Cluster
from tests.simulation.loop import EPOCH, moment
from tests.simulation.programs import ACCOUNT
from tests.simulation.verdict import restored
from tests.simulation.week.plan import HOUR, WEBHOOK_URL
from tests.simulation.week.smartpay import SmartPay
from tests.simulation.world import TOPICS

Hindrance = tuple[float, float]
"""A time, from and to, in which something may have stood in the way of reconciliation."""

SLACK = HOUR
"""Seconds that the service may always take: crashes and takeovers are no outages of anybody's."""

_ON_THE_WAY = timedelta(seconds=2)
"""What calls may come closer together between where they are counted and the provider."""

_SPREAD = 1.1
"""The poller varies its pauses by a tenth."""


def assert_kind(smartpay: SmartPay, settings: SmartPaySettings) -> None:
    """Assert that the account was never called too often, and is not disabled."""
    assert not smartpay.sandbox._merchant.access.is_disabled, "SmartPay disabled the account"
    calls, per = smartpay.calls, settings.calls_per
    for number, at in enumerate(calls):
        made = bisect_left(calls, at + per - _ON_THE_WAY) - number
        assert made <= settings.calls, f"{made} calls within {per} from {at}"


def assert_registered(cluster: Cluster, smartpay: SmartPay, handler: Handler) -> None:
    """Assert that all topics are notified to us, enabled, proven, and not suspected."""
    registration = handler.registration
    assert registration is not None
    webhooks = smartpay.sandbox._merchant.webhooks.by_id.values()
    enabled = sorted(w.topic for w in webhooks if w.url == WEBHOOK_URL and w.is_enabled)
    assert enabled == sorted(registration.topics), f"enabled here are only {enabled}"
    states = {c.topic: c.state for c in _conditions(cluster, handler)}
    assert set(states.values()) == {State.PROVEN}, f"not all is proven: {states}"


def assert_found_in_time(
    cluster: Cluster,
    smartpay: SmartPay,
    settings: SmartPaySettings,
    hindrances: Sequence[Hindrance],
) -> None:
    """Assert that each payment was published within the stated time, outages not counted."""
    published = _published_at(cluster)
    interval = settings.reconcile_interval.total_seconds()
    now = _seconds(moment())
    for invoice in smartpay.sandbox._merchant.shop.invoices.values():
        if invoice.date_paid is None or invoice.order.is_dummy:
            continue
        fact = Fact(f"smartpay/{ACCOUNT}/invoice/{invoice.id}", "paid")
        paid_at = _seconds(invoice.date_paid)
        age = (invoice.date_paid - invoice.created_at) / timedelta(seconds=1)
        bound = max(interval, age / 8) * _SPREAD + SLACK
        took = _unhindered(paid_at, published.get(fact.id, now), hindrances)
        assert took <= bound, f"{fact} at {paid_at:.0f} took {took:.0f} s of at most {bound:.0f}"


def _unhindered(since: float, until: float, hindrances: Iterable[Hindrance]) -> float:
    """Return how many seconds between two times lie in no hindrance."""
    total, reached = 0.0, since
    for begin, end in sorted(hindrances):
        if begin > reached:
            total += max(0.0, min(begin, until) - reached)
        reached = max(reached, end)
    return total + max(0.0, until - reached)


def _published_at(cluster: Cluster) -> dict[str, float]:
    """Return when each event was published, by its id."""
    found = {}
    for topic in TOPICS.events:
        for _, entry in cluster.committed(topic):
            assert entry.payload is not None
            headers = dict(entry.payload.headers)
            found[str(UUID(headers["ce_id"].decode()))] = entry.timestamp / 1000 - EPOCH.timestamp()
    return found


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


def _seconds(at: datetime) -> float:
    return (at - EPOCH).total_seconds()
