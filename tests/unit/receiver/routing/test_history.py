"""What becomes of facts from before an account's ``import_since``."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from handlers.event import PaymentEvent
from handlers.jsontext import JsonObject, compact
from handlers.ledger import Entry
from handlers.observation import Observation, Origin
from handlers.provider import BaseHandler
from handlers.resource import ResourceKey
from handlers.smartpay.handler import SmartPayHandler
from handlers.subscriply.handler import SubscriplyHandler
from receiver.accounts.registry import Accounts
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.routing.expiry import Retention
from receiver.routing.route import Route
from receiver.routing.router import Router
from tests.unit.receiver.routing.stage import TOPICS, Partition, World
from tests.unit.smartpay.host import settings as merchant
from tests.unit.subscriply.host import settings as member

DAY = datetime(2026, 1, 1, tzinfo=UTC)
NOW = DAY + timedelta(hours=12)
BEFORE, SINCE = DAY - timedelta(days=400), DAY + timedelta(hours=1)
A_DAY = timedelta(days=1)


class Site:
    """Two accounts of which only the time since a day is wanted, and a router for them."""

    def __init__(self, retention: Retention = Retention()) -> None:  # noqa: B008 - it is immutable
        self.now = NOW
        self.shard = Partition()
        self._retention = retention
        self.restart()

    def restart(self, import_since: datetime | None = DAY) -> None:
        """Have another process take over, perhaps with another day."""
        day = None if import_since is None else import_since.date()
        handlers: dict[str, BaseHandler] = {
            "members": SubscriplyHandler(member(import_since=day)),
            "shop": SmartPayHandler(merchant(import_since=day, manage_webhooks=True)),
        }
        accounts = cast("Accounts", SimpleNamespace(get=handlers.get))
        alarms = Alarms(self._clock)
        self._metrics = Metrics(alarms)
        route = Route(accounts, TOPICS)
        router = Router(
            route, TOPICS, self._metrics, alarms, self._clock, retention=self._retention
        )
        self._world = World(self.shard, router, alarms)

    async def route(self, *observations: Observation) -> list[tuple[str, int, str | None]]:
        """Route these; return action, sequence and previous status of the events that follow."""
        before = len(self.shard.events())
        await self._world.route(*(replace(one, received_at=self.now) for one in observations))
        written = self.shard.events()[before:]
        events = [PaymentEvent.model_validate_json(record.value or b"") for record in written]
        return [(e.data.action, e.data.sequence, e.data.previous_status) for e in events]

    async def redrive(self, letter: str) -> None:
        """Redrive a dead letter."""
        await self._world.redrive(letter)

    def entry(self, kind: str, id: str) -> list[tuple[str, bool]]:  # noqa: A002 - the provider's word
        """Return what the ledger holds of a resource: each fact, and whether it is silent."""
        owner = ("smartpay", "shop") if kind == "invoice" else ("subscriply", "members")
        raw = self.shard.table[ResourceKey(*owner, kind, id).partition_key.encode()]
        return [(fact.action, fact.silent) for fact in Entry.decode(raw).published]

    def counted(self) -> dict[str, int]:
        """Return how many silent facts are in the metrics of this process, by account."""
        return dict(self._metrics.routed.history)

    def _clock(self) -> datetime:
        return self.now


@pytest.fixture
def site() -> Site:
    """Return a site."""
    return Site()


def charge(id: int, state: str, at: datetime, **changed: Any) -> Observation:  # noqa: A002 - the provider's word
    """Return what a poll shows of a charge."""
    body: JsonObject = {
        "id": id,
        "transaction_type": "charge",
        "state": state,
        "amount_in_cents": 1000,
        "created_at": at.isoformat(),
    }
    row = Observation("members", Origin.POLL, "transactions", NOW, compact(body))
    return replace(row, **changed)


def invoice(id: str, origin: Origin, *, paid: datetime | None = None, **said: Any) -> Observation:  # noqa: A002 - the provider's word
    """Return what SmartPay shows of an invoice; a row's window ended before the day."""
    date = None if paid is None else f"{paid:%Y-%m-%d %H:%M:%S}"
    enabled = "0" if said.pop("cancelled", False) else "1"
    body: JsonObject = {"invoice_id": id, "amount": "1.00", "date_paid": date}
    is_row = origin is Origin.RECONCILIATION
    shown = Observation(
        "shop",
        origin,
        "invoices" if is_row else "invoice/paid",
        NOW,
        compact({**body, "is_enabled": enabled}),
        created_before=DAY if is_row else None,
        news_since=BEFORE if is_row else None,
    )
    return replace(shown, **said)


HISTORY = [
    charge(1, "success", BEFORE),
    charge(2, "declined", DAY - timedelta(microseconds=1000)),
    charge(3, "void", BEFORE),
]
"""What a user had before the day."""


async def test_a_history_is_entered_silently_and_what_is_newer_is_published(site: Site) -> None:
    """The first start at Subscriply, which shows all there ever was."""
    events = await site.route(*HISTORY, charge(4, "success", DAY), charge(5, "void", SINCE))
    assert events == [("succeeded", 1, None), ("voided", 1, None)]
    assert site.entry("charge", "1") == [("succeeded", True)]
    assert site.entry("charge", "3") == [("voided", True)]
    assert site.counted() == {"members": 3}
    assert site.shard.letters() == {}


async def test_a_history_is_told_again_without_an_event(site: Site) -> None:
    """After a crash, by another process, or once more: the ledger has it."""
    await site.route(*HISTORY)
    table = dict(site.shard.table)
    site.restart()
    assert await site.route(*HISTORY, *HISTORY) == []
    assert site.shard.table == table
    assert site.counted() == {}


async def test_what_happens_to_an_old_charge_is_its_first_event(site: Site) -> None:
    """It goes on from the status that the ledger remembers, whichever process does."""
    await site.route(*HISTORY)
    site.restart()
    site.now += A_DAY
    assert await site.route(charge(1, "void", BEFORE)) == [("voided", 1, "succeeded")]


@pytest.mark.parametrize("day", [None, DAY - 500 * A_DAY, DAY + A_DAY])
async def test_what_is_silent_stays_silent_whatever_becomes_of_the_day(
    site: Site, day: datetime | None
) -> None:
    """The key is taken out, or changed: what the ledger has is not published."""
    await site.route(*HISTORY)
    site.restart(import_since=day)
    site.now += 2 * A_DAY
    assert await site.route(*HISTORY) == []
    assert await site.route(charge(1, "void", BEFORE)) == [("voided", 1, "succeeded")]


async def test_without_the_day_all_is_published(site: Site) -> None:
    """The whole history, as ever."""
    site.restart(import_since=None)
    assert len(await site.route(*HISTORY)) == len(HISTORY)
    assert site.counted() == {}


async def test_an_old_window_is_entered_silently(site: Site) -> None:
    """The first start at SmartPay: paid, cancelled and still open ones of before the day."""
    rows = Origin.RECONCILIATION
    old = [
        invoice("a", rows, paid=BEFORE),
        invoice("b", rows, cancelled=True),
        invoice("c", rows),
    ]
    assert await site.route(*old) == []
    assert site.entry("invoice", "b") == [("created", True), ("cancelled", True)]
    assert site.counted() == {"shop": 5}
    assert site.shard.written[TOPICS.watch_requests] == []
    site.now += A_DAY
    later = [invoice("c", rows, cancelled=True, news_since=NOW)]
    assert await site.route(*old, *later) == [("cancelled", 1, "created")]


async def test_an_old_webhook_sent_again_gives_no_event(site: Site) -> None:
    """Nor does it make a look-up, a dead letter or a sign of life."""
    old = invoice("a", Origin.WEBHOOK, paid=BEFORE)
    assert await site.route(old, old) == []
    assert site.entry("invoice", "a") == [("created", True), ("paid", True)]
    assert site.shard.written[TOPICS.watch_requests] == []
    assert site.shard.letters() == {}


async def test_a_payment_of_today_of_an_old_invoice_is_the_first_event(site: Site) -> None:
    """Its creation was in an old window."""
    await site.route(invoice("c", Origin.RECONCILIATION))
    paid = invoice("c", Origin.WEBHOOK, paid=SINCE)
    assert await site.route(paid, paid) == [("paid", 1, "created")]


def _orders(rows: Sequence[Observation]) -> Iterable[Sequence[Observation]]:
    yield rows
    yield rows[::-1]
    yield [*rows[1:], rows[0], *rows]


@pytest.mark.parametrize("order", range(3))
async def test_dated_facts_give_the_same_events_in_any_order(site: Site, order: int) -> None:
    """Webhook, row or replay: those from the day on, each once."""
    rows = [
        invoice("a", Origin.WEBHOOK, paid=BEFORE),
        invoice("a", Origin.RECONCILIATION, paid=BEFORE),
        invoice("b", Origin.WEBHOOK, paid=SINCE),
        invoice("b", Origin.RECONCILIATION, paid=SINCE),
    ]
    events = await site.route(*list(_orders(rows))[order])
    assert [action for action, *_ in events if action != "created"] == ["paid"]


async def test_forgotten_history_shown_again_is_entered_again(site: Site) -> None:
    """No event and no dead letter comes of it, now or later."""
    site = Site(Retention(entries=30 * A_DAY))
    await site.route(*HISTORY, invoice("a", Origin.RECONCILIATION, paid=BEFORE))
    for days in (20, 20):
        site.now += days * A_DAY
        await site.route(charge(9, "success", site.now))
    assert not [key for key in site.shard.table if key.endswith((b"charge/1", b"invoice/a"))]
    again = [HISTORY[0], HISTORY[1], invoice("a", Origin.WEBHOOK, paid=BEFORE)]
    assert await site.route(*again) == []
    assert site.shard.letters() == {}
    assert site.entry("invoice", "a") == [("created", True), ("paid", True)]


async def test_a_void_after_an_entry_was_forgotten_is_a_letter(site: Site) -> None:
    """Nobody can tell whether it was void before, and it must not vanish without a trace."""
    site = Site(Retention(entries=30 * A_DAY))
    await site.route(HISTORY[0])
    for days in (20, 20):
        site.now += days * A_DAY
        await site.route(charge(9, "success", site.now))
    assert await site.route(charge(1, "void", BEFORE)) == []
    [letter] = site.shard.letters()
    await site.redrive(letter)
    assert list(site.shard.letters()) == [letter]
