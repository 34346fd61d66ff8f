"""Reading SmartPay's listings once: what is cut, pages that move, and what the rows become."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from handlers.exchange import Refused, Request, Response
from handlers.jsontext import Json
from handlers.observation import Origin
from handlers.provider import Ending, Polled, Watch
from handlers.smartpay.sandbox import Strictness
from handlers.smartpay.windows import LONGEST, SHORTEST, Window
from tests.unit.smartpay.host import NOW, Answer, Shop, converse, observed

VERSIONS = pytest.mark.parametrize("version", ["1-2", "2-0"])
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SMALL = Strictness(page_size=2, calls=10_000)


def polled(shop: Shop, watch: Watch, answer: Answer | None = None, memory: bytes = b"") -> Polled:
    """Make one visit."""
    return converse(shop.handler.poll(watch, timedelta(), shop.session, memory), answer or shop.ask)


def to_the_end(
    shop: Shop,
    watch: Watch,
    answer: Answer | None = None,
    between: Callable[[], None] = lambda: None,
) -> list[Polled]:
    """Read a window to its end; ``between`` is what happens after the first visit."""
    visits = [polled(shop, watch, answer)]
    between()
    while visits[-1].pace == 0.0:
        visits.append(polled(shop, watch, answer, visits[-1].memory or b""))
    return visits


def reconciled(shop: Shop, since: datetime, until: datetime) -> list[Polled]:
    """Read every window that is asked for with all that it discovers."""
    waiting = list(shop.handler.reconciliation(since, until))
    visits = []
    while waiting:
        visits.append(polled(shop, waiting.pop(0)))
        waiting += [found.watch for found in visits[-1].discovered]
    return visits


def facts(shop: Shop, visits: list[Polled]) -> set[object]:
    """Return the ids of the facts that the rows assert."""
    asserted: set[object] = set()
    for resource in (resource for visit in visits for resource in visit.resources):
        seen = observed(resource.body, resource.topic, Origin.RECONCILIATION)
        reading = shop.handler.interpret(seen).reading
        assert reading is not None
        asserted |= {fact.id for fact in reading.facts}
    return asserted


@VERSIONS
def test_everything_created_in_the_time_is_found(version: str) -> None:
    """Payments, failures and cancellations that no webhook told are in the rows."""
    shop = Shop(version)
    for control in ("pay", "fail", "cancel-invoice", "cancel-order"):
        shop.cause("create-invoice")
        shop.cause(control)
        shop.wait(days=20)
    visits = reconciled(shop, NOW, shop.now)
    assert facts(shop, visits) == shop.sandbox.caused("shop")
    assert len(facts(shop, visits)) == 12
    assert {visit.origin for visit in visits} == {Origin.RECONCILIATION}
    assert {visit.ending for visit in visits} == {Ending.DONE}


def test_a_row_is_the_one_that_a_look_up_shows() -> None:
    """One row has the same bytes whichever way it was read: both versions write what they have."""
    shop = Shop()
    shop.cause("create-invoice")
    [invoices, _] = reconciled(shop, NOW - timedelta(days=1), NOW)
    [row] = invoices.resources
    assert row.topic == "invoices"
    assert b'"invoice_id":"invoice-1"' in row.body


def test_a_quiet_shop_costs_one_call_a_window() -> None:
    """An empty window is one call, and signing in is done once."""
    shop = Shop()
    reconciled(shop, NOW - 2 * LONGEST, NOW)
    assert shop.endpoints() == ["authenticate", *["invoices", "orders"] * 2]


@VERSIONS
def test_a_long_listing_is_cut_into_windows_of_one_page(version: str) -> None:
    """What has more than a page is cut until each part is one answer, and everything is found."""
    shop = Shop(version, SMALL)
    for _ in range(25):
        shop.cause("create-invoice")
        shop.wait(hours=1)
    visits = reconciled(shop, NOW, shop.now)
    assert max(len(visit.resources) for visit in visits) == 2
    assert {visit.ending for visit in visits} == {Ending.DONE}
    assert facts(shop, visits) == shop.sandbox.caused("shop")
    assert len(shop.asked) < 3 * 25


@VERSIONS
def test_what_was_created_at_once_is_read_a_few_pages_a_visit(version: str) -> None:
    """What cannot be cut any more is read on where it stopped, from the last page that was read."""
    shop = Shop(version, SMALL)
    order = shop.cause("create-order")["order_id"]
    for _ in range(25):
        shop.cause("create-invoice", order=order)
    window = Window("invoices", NOW - SHORTEST, NOW)
    visits = to_the_end(shop, window.watch("shop"))
    assert [len(visit.resources) for visit in visits] == [10, 10, 9]
    assert [visit.pace for visit in visits[:2]] == [0.0, 0.0]
    assert len(facts(shop, visits)) == 25


def before_the_others(rows: list[Json]) -> None:
    """Create three invoices, in a listing with the newest first."""
    rows[:0] = [{"invoice_id": f"new{number}", "amount": "1.00"} for number in range(3)]


def from_the_first_page(rows: list[Json]) -> None:
    """Take away the first page's rows."""
    del rows[:2]


@pytest.mark.parametrize("change", [before_the_others, from_the_first_page])
def test_rows_that_move_between_pages_are_found(change: Callable[[list[Json]], None]) -> None:
    """Rows come and go between two visits, and what moved to another page is not passed over."""
    rows: list[Json] = [{"invoice_id": f"i{number}", "amount": "1.00"} for number in range(20)]

    def listing(request: Request) -> Response:
        if request.path.endswith("authenticate"):
            return Response.json(200, {"result": {"token": "t"}})
        page = int(request.parameters()["page"])
        shown = rows[2 * page - 2 : 2 * page]
        return Response.json(200, {"total_pages": len(rows) // 2 + 1, "result": shown})

    shop = Shop()
    watch = Window("invoices", BEGIN, BEGIN + SHORTEST).watch("shop")
    visits = to_the_end(shop, watch, listing, between=lambda: change(rows))
    found = b"".join(resource.body for visit in visits for resource in visit.resources)
    assert [number for number in range(20) if f'"i{number}"'.encode() not in found] == []


def test_a_refused_key_is_a_failure_of_the_account() -> None:
    """Nothing of the part counts, and the account's breaker hears of it."""
    shop = Shop()
    shop.cause("disable-account")
    [window, _] = shop.handler.reconciliation(NOW - timedelta(days=1), NOW)
    with pytest.raises(Refused):
        polled(shop, window)
