from dataclasses import replace

import msgspec
import pytest

from handlers.exchange import Request, Response
from handlers.fact import Claim, Fact
from handlers.jsontext import JsonObject, parse_object
from handlers.observation import Origin
from handlers.resource import ResourceKey
from handlers.smartpay.lookups import MOST_PAGES
from handlers.smartpay.sandbox import Strictness
from tests.unit.smartpay.host import Shop, converse, handler, observed, script

VERSIONS = pytest.mark.parametrize("version", ["1-2", "2-0"])


def claim_on(invoice_id: str, action: str = "paid") -> Claim:
    """Return the claim that a webhook about this very invoice makes."""
    fact = Fact(ResourceKey("smartpay", "shop", "invoice", invoice_id), action)
    return Claim("invoice", action, "invoice_id", invoice_id, fact)


@VERSIONS
def test_a_silent_body_leads_to_the_paid_invoice(version: str) -> None:
    """From nothing but the order's custom id to the facts: the order, then its invoices."""
    shop = Shop(version)
    shop.sandbox.subscribe("https://pay.example.com/webhooks/shop")
    invoice = shop.cause("create-invoice", amount="12.34")
    shop.deliver()
    shop.cause("silent-body")
    said = shop.read(shop.deliver()[0])
    assert said.reading is None
    assert said.claim is not None
    found = shop.look_up(said.claim)
    assert not found.refuted
    assert shop.endpoints() == ["authenticate", "orders", "invoices"]
    facts = set()
    for row in found.resources:
        reading = shop.handler.interpret(observed(row.body, row.topic, Origin.LOOKUP)).reading
        assert reading is not None
        facts |= {fact.id for fact in reading.facts}
    assert facts == shop.sandbox.caused("shop")
    paid = Fact(ResourceKey("smartpay", "shop", "invoice", invoice["invoice_id"]), "paid")
    assert paid.id in facts


@VERSIONS
def test_a_claim_that_the_row_does_not_show_is_refuted(version: str) -> None:
    """An invoice that is not paid refutes the claim, in words; its row is returned all the same."""
    shop = Shop(version)
    invoice = shop.cause("create-invoice")
    claim = claim_on(invoice["invoice_id"])
    found = shop.look_up(claim)
    assert found.refuted == {claim: "the invoice shows created, not paid"}
    assert [row.topic for row in found.resources] == ["invoices"]


@VERSIONS
def test_an_unknown_id_is_refuted(version: str) -> None:
    """What SmartPay does not know is not so."""
    shop = Shop(version)
    by_custom_id = Claim("invoice", "paid", "custom_order_id", "nobody's")
    claims = [claim_on("nobody's"), by_custom_id, Claim("order", "created", "order_id", "none")]
    found = shop.look_up(*claims)
    assert set(found.refuted) == set(claims)
    assert found.refuted[by_custom_id] == "there is no invoice with this custom_order_id"
    assert not found.resources


@pytest.mark.parametrize(
    ("control", "action"),
    [("create-invoice", "created"), ("pay", "paid"), ("cancel-invoice", "cancelled")],
)
def test_each_claim_that_is_so_is_borne_out(control: str, action: str) -> None:
    """Creation, payment and cancellation are all seen in the listing."""
    shop = Shop()
    shop.cause("create-invoice")
    invoice = shop.cause(control)
    assert not shop.look_up(claim_on(invoice["invoice_id"], action)).refuted


def test_the_same_question_is_asked_once() -> None:
    """Claims that share a query share its answer."""
    shop = Shop()
    invoice_id = shop.cause("create-invoice")["invoice_id"]
    shop.cause("pay")
    paid, cancelled = claim_on(invoice_id), claim_on(invoice_id, "cancelled")
    undated = replace(paid, fact=None)
    found = shop.look_up(paid, cancelled, undated, paid)
    assert shop.endpoints() == ["authenticate", "invoices"]
    assert set(found.refuted) == {cancelled}
    assert len(found.resources) == 1


def test_the_invoices_of_an_order_answer_for_each_of_them() -> None:
    """An invoice that another query showed is not asked for again, wherever its claim stands."""
    shop = Shop()
    order_id = shop.cause("create-order")["order_id"]
    ids = [shop.cause("create-invoice", order=order_id)["invoice_id"] for _ in range(3)]
    shop.cause("pay", invoice=ids[1])
    of_order = Claim("invoice", "paid", "order_id", order_id)
    found = shop.look_up(*map(claim_on, ids), of_order)
    assert shop.endpoints() == ["authenticate", "invoices"]
    assert set(found.refuted) == {claim_on(ids[0]), claim_on(ids[2])}


def test_a_claim_about_an_order_needs_no_invoices() -> None:
    """By its custom id an order is one call away."""
    shop = Shop()
    shop.cause("create-order", custom_id="s1")
    shop.cause("cancel-order")
    assert not shop.look_up(Claim("order", "cancelled", "custom_order_id", "s1")).refuted
    assert shop.endpoints() == ["authenticate", "orders"]


def test_what_cannot_be_asked_is_not_asked() -> None:
    """A refund is refuted without a call: SmartPay counts them."""
    shop = Shop()
    claim = Claim("invoice", "refunded", "invoice_id", "i1")
    assert claim in shop.look_up(claim).refuted
    assert not shop.asked


def test_another_invoice_does_not_answer() -> None:
    """A listing that passes over the filter bears nothing out; its rows are still real."""
    answers = script(
        {"result": {"token": "t"}},
        {"result": [{"invoice_id": "other", "date_paid": "2018-01-01 12:00:00"}]},
    )
    shop = Shop()
    found = converse(shop.handler.look_up([claim_on("i1")], shop.session), answers)
    assert found.refuted == {claim_on("i1"): "there is no invoice with this invoice_id"}
    assert len(found.resources) == 1


def test_a_row_that_cannot_be_read_bears_nothing_out() -> None:
    """The row becomes a dead letter by itself; the claim is refuted, and nothing is stuck."""
    row = {"invoice_id": "i1", "date_paid": "2018-01-01 12:00:00", "amount": "ten"}
    answers = script({"result": {"token": "t"}}, {"result": [row]})
    shop = Shop()
    found = converse(shop.handler.look_up([claim_on("i1")], shop.session), answers)
    assert found.refuted == {claim_on("i1"): "the invoice shows nothing that can be read, not paid"}
    assert [parse_object(resource.body) for resource in found.resources] == [row]


def test_a_listing_without_end_is_left() -> None:
    """Pages are read up to a limit; what is beyond it is said to be, not denied."""
    asked: list[Request] = []

    def endless(request: Request) -> Response:
        asked.append(request)
        if request.path.endswith("authenticate"):
            return Response.json(200, {"result": {"token": "t"}})
        number = len(asked)
        row: JsonObject = {"invoice_id": f"i{number}", "order_id": "o1", "date_paid": None}
        return Response.json(200, {"page": number, "total_pages": number + 1, "result": [row]})

    shop = Shop()
    claim = Claim("invoice", "paid", "order_id", "o1")
    found = converse(shop.handler.look_up([claim], shop.session), endless)
    assert found.refuted == {claim: f"it is not in the first {MOST_PAGES} pages of the listing"}
    assert len(found.resources) == MOST_PAGES == len(asked) - 1


@VERSIONS
def test_all_pages_are_read(version: str) -> None:
    """The last invoice of an order is found, although it is on the third page."""
    shop = Shop(version, Strictness(page_size=2))
    order_id = shop.cause("create-order")["order_id"]
    for _ in range(5):
        shop.cause("create-invoice", order=order_id)
    shop.cause("pay")
    found = shop.look_up(Claim("invoice", "paid", "order_id", order_id))
    assert not found.refuted
    assert len(found.resources) == 5
    assert shop.endpoints() == ["authenticate", *["invoices"] * 3]


def test_a_page_that_appears_meanwhile_is_read() -> None:
    """The number of pages is taken anew from each answer."""
    shop = Shop(strictness=Strictness(page_size=2))
    order_id = shop.cause("create-order")["order_id"]
    for _ in range(4):
        shop.cause("create-invoice", order=order_id)

    def ask(request: Request) -> Response:
        response = shop.ask(request)
        if len(shop.asked) == 2:
            shop.cause("create-invoice", order=order_id)
        return response

    claim = Claim("invoice", "paid", "order_id", order_id)
    found = converse(shop.handler.look_up([claim], shop.session), ask)
    assert len(found.resources) == 5


def test_order_may_name_its_custom_id_as_webhooks_do() -> None:
    """``order_custom_id`` in a row is the same as ``custom_order_id``."""
    answers = script(
        {"result": {"token": "t"}},
        {"result": [[{"order_id": 5}, {"order_custom_id": "s1"}, {"is_enabled": "0"}]]},
    )
    claim = Claim("order", "cancelled", "custom_order_id", "s1")
    shop = Shop()
    assert not converse(handler().look_up([claim], shop.session), answers).refuted


def test_a_row_that_wraps_its_invoice_keeps_its_mark() -> None:
    """What is handed on of a row around which ``is_dummy`` stands is test data."""
    row = {"is_dummy": "1", "invoice": {"invoice_id": "i1", "date_paid": "2018-01-01 12:00:00"}}
    answers = script({"result": {"token": "t"}}, {"result": [row]})
    shop = Shop()
    found = converse(shop.handler.look_up([claim_on("i1")], shop.session), answers)
    (resource,) = found.resources
    said = shop.handler.interpret(observed(resource.body, resource.topic, Origin.LOOKUP))
    assert said.reading is not None
    assert said.reading.resource.test


def test_test_data_bear_out_no_claim_on_live_ones() -> None:
    """Nor the other way round: the claim is a dead letter, which says what was shown instead."""
    shop = Shop()
    invoice = shop.cause("create-invoice", dummy="yes")
    shop.cause("pay")
    live = claim_on(invoice["invoice_id"])
    assert live.fact is not None
    resource = msgspec.structs.replace(live.fact.resource, test=True)
    test = replace(live, fact=msgspec.structs.replace(live.fact, resource=resource))
    assert shop.look_up(live).refuted == {
        live: "the invoice shows created (test), paid (test), not paid"
    }
    assert not shop.look_up(test).refuted
