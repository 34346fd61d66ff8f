"""Reading SmartPay's listings: the windows, their edges and pages, and what the rows become."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from handlers.exchange import Refused, Request, Response
from handlers.jsontext import Json
from handlers.observation import Origin
from handlers.provider import RECONCILIATION, Ending, Polled, Watch
from handlers.smartpay.reconciliation import PAGES_A_VISIT, WINDOW, Part, parse, windows
from handlers.smartpay.sandbox import Strictness
from tests.unit.smartpay.host import NOW, Answer, Shop, converse, observed

VERSIONS = pytest.mark.parametrize("version", ["1-2", "2-0"])
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SMALL = Strictness(page_size=2, calls=10_000)


def polled(shop: Shop, watch: Watch, answer: Answer | None = None) -> Polled:
    """Read one part."""
    return converse(shop.handler.poll(watch, timedelta(), shop.session), answer or shop.ask)


def reconciled(shop: Shop, since: datetime, until: datetime) -> list[Polled]:
    """Read every window with all that it discovers."""
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


def test_windows_cover_the_time_without_a_gap() -> None:
    """Each collection's windows follow each other from the first second to the last."""
    end = BEGIN + timedelta(days=70, seconds=5)
    parts = list(windows(BEGIN, end))
    for collection in ("invoices", "orders"):
        limits = [(part.since, part.until) for part in parts if part.collection == collection]
        assert limits[0][0] == BEGIN
        assert limits[-1][1] == BEGIN + timedelta(days=70, hours=1)
        assert all(one[1] == next_[0] for one, next_ in pairwise(limits))
        assert max(until - since for since, until in limits) == WINDOW
    assert list(windows(end, BEGIN)) == []
    assert list(windows(BEGIN + timedelta(minutes=59), end + timedelta(minutes=59))) == parts


def test_a_window_reaches_beyond_its_limits() -> None:
    """Their clock may differ from ours, and nobody says whether a limit belongs to the window."""
    part = Part("invoices", BEGIN, BEGIN + timedelta(days=1))
    assert part.filters() == {
        "created_from": "2025-12-31 23:55:00",
        "created_to": "2026-01-02 00:05:00",
    }


def test_a_part_is_named_by_its_window_and_page() -> None:
    """The name tells all that is needed to go on; the first page's is the window's own."""
    [invoices, orders] = windows(BEGIN, BEGIN + timedelta(days=7))
    assert invoices.id == "invoices/2026-01-01T00:00:00Z/2026-01-08T00:00:00Z"
    assert parse(invoices.id) == invoices
    assert parse(orders.following.id) == orders.following
    assert orders.following.id == f"{orders.id}/{PAGES_A_VISIT}"


@pytest.mark.parametrize(
    "id",
    [
        "",
        "invoices",
        "webhooks/2026-01-01T00:00:00Z/2026-01-08T00:00:00Z",
        "invoices/2026-01-01T00:00:00/2026-01-08T00:00:00",
        "invoices/0001-01-01T00:00:00Z/2026-01-08T00:00:00Z",
        "invoices/2026-01-01T00:00:00Z/9999-12-31T23:59:59Z",
        "invoices/2026-01-01T00:00:00Z/2026-01-08T00:00:00Z/0",
        "invoices/2026-01-01T00:00:00Z/2026-01-08T00:00:00Z/two",
    ],
)
def test_what_names_no_part_is_over_at_once(id: str) -> None:  # noqa: A002 - a watch's word
    """A watch that none of us made costs no call and does not stay."""
    shop = Shop()
    assert parse(id) is None
    assert polled(shop, Watch("shop", RECONCILIATION, id)) == Polled(ending=Ending.DONE)
    assert shop.asked == []


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
    reconciled(shop, NOW - 2 * WINDOW, NOW)
    assert shop.endpoints() == ["authenticate", *["invoices", "orders"] * 2]


@VERSIONS
def test_long_listings_are_read_a_few_pages_a_visit(version: str) -> None:
    """No visit reads more than its pages, the next begins with the last of them, all is found."""
    shop = Shop(version, SMALL)
    order = shop.cause("create-order")["order_id"]
    for _ in range(25):
        shop.cause("create-invoice", order=order)
    visits = reconciled(shop, NOW - timedelta(days=1), NOW)
    assert max(len(visit.resources) for visit in visits) == 2 * PAGES_A_VISIT
    assert [found.watch.id.rpartition("/")[2] for v in visits for found in v.discovered] == [
        "5",
        "9",
    ]
    assert len(facts(shop, visits)) == 26


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
    [window, _] = windows(BEGIN, BEGIN + WINDOW)
    visits = [polled(shop, window.watch("shop"), listing)]
    change(rows)
    while visits[-1].discovered:
        visits.append(polled(shop, visits[-1].discovered[0].watch, listing))
    found = b"".join(resource.body for visit in visits for resource in visit.resources)
    assert [number for number in range(20) if f'"i{number}"'.encode() not in found] == []


def test_a_refused_key_is_a_failure_of_the_account() -> None:
    """Nothing of the part counts, and the account's breaker hears of it."""
    shop = Shop()
    shop.cause("disable-account")
    [window, _] = shop.handler.reconciliation(BEGIN, NOW)
    with pytest.raises(Refused):
        polled(shop, window)
