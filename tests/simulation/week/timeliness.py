"""When each change must have been published at the latest, by what docs/smartpay.md promises."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from handlers.smartpay.sandbox.shop import Invoice, Order
from handlers.smartpay.settings import SmartPaySettings
from tests.chaos.story import Fact
from tests.simulation.cluster import Cluster
from tests.simulation.loop import EPOCH, moment
from tests.simulation.programs import ACCOUNT
from tests.simulation.week.plan import HOUR
from tests.simulation.week.smartpay import SmartPay
from tests.simulation.world import TOPICS
from tests.support.shown import facts_of

Hindrance: TypeAlias = tuple[float, float]
"""A time, from and to, in which something may have stood in the way of reconciliation."""

SLACK = HOUR
"""Seconds that the service may always take: crashes and takeovers are no outages of anybody's."""

_OPEN, _SETTLED = 8, 2
"""Into how many parts its age is divided for what was still to be paid, and for all else."""

_SPREAD = 1.1
"""The poller varies its pauses by a tenth."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A fact that became true; ``age`` is how many seconds there had been what it is a fact of."""

    fact: Fact
    at: float
    age: float
    is_open: bool


def assert_found_in_time(
    cluster: Cluster,
    smartpay: SmartPay,
    settings: SmartPaySettings,
    hindrances: Sequence[Hindrance],
) -> None:
    """Assert that each change was published within the stated time, outages not counted."""
    published = _published_at(cluster)
    interval = settings.reconcile_interval.total_seconds()
    now = _seconds(moment())
    for change in _changes(smartpay):
        read_after = change.age / (_OPEN if change.is_open else _SETTLED)
        bound = max(interval, read_after) * _SPREAD + SLACK
        took = _unhindered(change.at, published.get(change.fact.id, now), hindrances)
        told = f"{change.fact} at {change.at:.0f} took {took:.0f} s of at most {bound:.0f}"
        assert took <= bound, told


def _changes(smartpay: SmartPay) -> Iterator[_Change]:
    shop = smartpay.sandbox._merchant.shop
    for order in shop.orders.values():
        yield from _changes_of(order, {"cancelled": order.cancelled_at}, is_payable=False)
    for invoice in shop.invoices.values():
        ends = {"paid": invoice.date_paid, "cancelled": invoice.cancelled_at}
        # Nobody waits for a test to be paid.
        is_payable = not invoice.order.is_dummy
        yield from _changes_of(invoice, {**ends, "failed": invoice.date_failed}, is_payable)


def _changes_of(
    subject: Invoice | Order, changed_at: dict[str, datetime | None], is_payable: bool
) -> Iterator[_Change]:
    began = _seconds(subject.created_at)
    times = {action: _seconds(at) for action, at in changed_at.items() if at is not None}
    settled_at = min((at for action, at in times.items() if action != "failed"), default=None)
    for fact in facts_of(subject.fields(), account=ACCOUNT):
        at = times.get(fact.action, began)
        is_open = is_payable and (settled_at is None or at <= settled_at)
        yield _Change(fact, at, at - began, is_open)


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


def _seconds(at: datetime) -> float:
    return (at - EPOCH).total_seconds()
