from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from handlers.exchange import Request, Response
from handlers.fact import Fact, Uninterpretable
from handlers.jsontext import JsonObject
from handlers.provider import BadSignature
from handlers.resource import ResourceKey
from handlers.sandbox import Callback
from handlers.smartpay.sandbox import SmartPaySandbox, Strictness
from handlers.smartpay.sandbox.access import API_KEY
from handlers.smartpay.topics import REGISTRATION, TOPICS
from tests.unit.smartpay.host import HOOK, NOW, Shop, actions

OTHER = "https://elsewhere.example.com/hook"


def subscribed(strictness: Strictness | None = None) -> Shop:
    """Return a shop whose notifications go to HOOK."""
    shop = Shop(strictness=strictness or Strictness())
    shop.sandbox.subscribe(HOOK)
    return shop


def v1(endpoint: str, **fields: str) -> Request:
    """Return a call of version 1-2."""
    return Request.form(f"/1-2/{endpoint}", fields)


def signed_in(shop: Shop) -> str:
    """Return a token."""
    token = shop.ask(v1("authenticate", api_key=API_KEY)).object()["result"]
    assert isinstance(token, dict)
    return str(token["token"])


def errors_of(response: Response) -> Any:
    """Return the errors in an answer."""
    return response.object().get("errors")


def webhook(shop: Shop, topic: str = "invoice/created") -> JsonObject:
    """Return what is shown of the webhook for a topic."""
    shown: list[JsonObject] = shop.cause("webhooks")
    return next(each for each in shown if each["topic"] == topic)


def test_every_notification_is_signed_and_read_as_meant() -> None:
    """The life of an order and an invoice, as the five topics tell it."""
    shop = subscribed()
    told = []
    for control in ("create-invoice", "pay", "cancel-invoice", "cancel-order"):
        shop.cause(control)
        told += [shop.read(notification) for notification in shop.deliver()]
    assert [actions(said)[-1] for said in told] == [
        "created",
        "created",
        "paid",
        "cancelled",
        "cancelled",
    ]
    assert all(said.claim is None for said in told)
    asserted = {fact.id for said in told if said.reading for fact in said.reading.facts}
    assert asserted == shop.sandbox.caused("shop")


def test_caused_counts_only_what_was_taken() -> None:
    """A fact whose notification got no 200 was not told, until it gets one."""
    shop = subscribed()
    shop.cause("create-order")
    assert not shop.sandbox.caused("shop")
    shop.deliver(202)
    assert not shop.sandbox.caused("shop")
    shop.wait(hours=1)
    shop.deliver(200)
    order = ResourceKey("smartpay", "shop", "order", "order-1")
    assert shop.sandbox.caused("shop") == {Fact(order, "created").id}
    assert not shop.sandbox.caused("shop") & shop.sandbox.caused("another")


def test_caused_counts_what_a_listing_showed() -> None:
    """A failed payment has no topic, so only a listing, or a later body, tells of it."""
    shop = subscribed()
    shop.cause("create-invoice")
    shop.cause("fail")
    shop.deliver()
    failed = Fact(
        ResourceKey("smartpay", "shop", "invoice", "invoice-1"),
        "failed",
        NOW,
        discriminator="2026-01-01 12:00:00",
    )
    assert failed.id not in shop.sandbox.caused("shop")
    shop.ask(v1("get_invoices", token=signed_in(shop)))
    assert failed.id in shop.sandbox.caused("shop")


def test_a_failure_can_be_announced() -> None:
    """For demos a body can carry date_failed."""
    shop = subscribed()
    shop.cause("create-invoice")
    shop.cause("fail", announce="yes")
    assert actions(shop.read(shop.deliver()[-1])) == ["created", "failed"]


def test_dummies_are_told_apart() -> None:
    """An invoice that is a dummy causes facts of test data."""
    shop = subscribed()
    shop.cause("create-invoice", dummy="yes")
    readings = [shop.read(notification).reading for notification in shop.deliver()]
    assert all(reading is not None and reading.resource.test for reading in readings)


@pytest.mark.parametrize("status", [None, 201, 202, 204, 301, 401, 404, 500, 503])
def test_anything_but_200_is_undeliverable(status: int | None) -> None:
    """Exactly 200 takes a notification; everything else has it sent again, later and later."""
    shop = subscribed(Strictness(first_retry=timedelta(seconds=10)))
    shop.cause("create-order")
    (first,) = shop.deliver(status)
    assert not shop.deliver()
    shop.wait(seconds=10)
    assert shop.deliver(status) == [first]
    shop.wait(seconds=19)
    assert not shop.deliver()
    shop.wait(seconds=1)
    assert shop.deliver(200) == [first]
    shop.wait(days=1)
    assert not shop.deliver()


def test_what_is_under_way_is_due_once() -> None:
    """A notification is not handed out again before it is answered."""
    shop = subscribed()
    shop.cause("create-order")
    assert len(shop.sandbox.due(NOW)) == 1
    assert not shop.sandbox.due(NOW + timedelta(days=1))


def test_the_twentieth_failure_ends_a_webhook() -> None:
    """It is disabled silently, and what is queued for it is lost; other topics go on."""
    shop = subscribed()
    shop.cause("create-invoice")
    shop.deliver()
    for _ in range(19):
        shop.cause("fail", announce="yes")
        shop.deliver(202)
    assert webhook(shop)["is_enabled"]
    assert webhook(shop)["queued"] == 19
    shop.cause("fail", announce="yes")
    shop.deliver(202)
    assert not webhook(shop)["is_enabled"]
    assert webhook(shop)["queued"] == 0
    shop.cause("fail", announce="yes")
    shop.wait(days=1)
    assert not shop.deliver()
    shop.cause("pay")
    assert len(shop.deliver()) == 1
    shown = shop.ask(v1("get_webhooks", token=signed_in(shop), topic="invoice/created")).object()
    assert shown["result"] == [{"webhook_id": "webhook-1", "topic": "invoice/created", "url": HOOK}]


def test_a_200_forgives_no_failure_before_it() -> None:
    """Whether the twenty are in a row is open, so the unkinder reading holds: all of them count."""
    shop = subscribed()
    shop.cause("create-order")
    for _ in range(19):
        shop.deliver(500)
        shop.wait(days=1)
    shop.deliver(200)
    assert webhook(shop, "order/created")["is_enabled"]
    shop.cause("create-order")
    shop.deliver(500)
    assert not webhook(shop, "order/created")["is_enabled"]


def test_a_duplicate_is_the_same_bytes_again() -> None:
    """The last notification comes again, under another id, and tells nothing new."""
    shop = subscribed()
    shop.cause("create-order")
    (first,) = shop.deliver()
    before = shop.sandbox.caused("shop")
    shop.cause("duplicate")
    (second,) = shop.deliver()
    assert (first.body, first.headers) == (second.body, second.headers)
    assert first.id != second.id
    assert shop.sandbox.caused("shop") == before


def test_a_forgery_is_not_signed_by_the_merchant() -> None:
    """It claims a payment, does not verify, is tried once, and does no webhook any harm."""
    shop = subscribed()
    shop.cause("create-invoice")
    shop.deliver()
    shop.cause("forge")
    (forged,) = shop.deliver(401)
    assert forged.headers["x-smartpay-topic"] == "invoice/paid"
    with pytest.raises(BadSignature):
        shop.handler.verify(forged.headers, forged.body, NOW)
    shop.wait(days=1)
    assert not shop.deliver()
    assert webhook(shop, "invoice/paid")["undeliverable"] == 0


def test_an_unreadable_body_is_signed() -> None:
    """It verifies, and then cannot become an event."""
    shop = subscribed()
    shop.cause("unreadable")
    (sent,) = shop.deliver()
    with pytest.raises(Uninterpretable):
        shop.read(sent)
    assert not shop.sandbox.caused("shop")


@pytest.mark.parametrize(
    ("control", "arguments"),
    [
        ("pay", {}),
        ("pay", {"invoice": "none"}),
        ("cancel-order", {}),
        ("create-invoice", {"order": "none"}),
        ("create-invoice", {"amount": "ten"}),
        ("create-invoice", {"amount": "-1"}),
        ("create-invoice", {"discounted": "1.001"}),
        ("create-invoice", {"method": "cash"}),
    ],
)
def test_controls_say_what_they_cannot_do(control: str, arguments: dict[str, str]) -> None:
    """A wrong argument is a ValueError for whoever typed it, and changes nothing."""
    shop = subscribed()
    with pytest.raises(ValueError, match=r"."):
        shop.cause(control, **arguments)
    assert not shop.deliver()


def test_the_same_acts_give_the_same_ids() -> None:
    """Nothing in the sandbox is random."""
    shops = subscribed(), subscribed()
    for shop in shops:
        shop.cause("create-invoice")
        shop.cause("pay")
    assert shops[0].deliver() == shops[1].deliver()


@pytest.mark.parametrize("status", [None, 202, 204, 500])
def test_a_webhook_is_rejected_unless_its_url_answers_200(status: int | None) -> None:
    """Creating calls back with a signed webhook/created, and takes nothing but 200 for yes."""
    shop = Shop()
    token = signed_in(shop)
    creation = v1("create_webhook", token=token, topic=TOPICS[0], url=HOOK)
    pending = shop.call_back(creation)
    called = pending.notification
    assert called.url == HOOK
    assert shop.handler.verify(called.headers, called.body, NOW).topic == REGISTRATION
    assert errors_of(pending.resume(status))
    assert shop.cause("webhooks") == []
    assert shop.call_back(creation).resume(200).object()["result"] == {"webhook_id": "webhook-1"}
    assert webhook(shop, TOPICS[0])["url"] == HOOK


def test_each_topic_is_subscribed_once() -> None:
    """A second webhook for a topic is an error, and so is an unknown topic or no URL."""
    shop = subscribed()
    token = signed_in(shop)
    for fields in (
        {"topic": TOPICS[0], "url": OTHER},
        {"topic": "a/b", "url": OTHER},
        {"url": "u"},
    ):
        assert errors_of(shop.ask(v1("create_webhook", token=token, **fields)))


def test_modifying_moves_and_enables_a_webhook() -> None:
    """A modified webhook is called back at its new URL; what is queued follows it."""
    shop = subscribed(Strictness(undeliverable_most=1))
    shop.cause("create-order")
    shop.deliver(500)
    assert not webhook(shop, "order/created")["is_enabled"]
    token = signed_in(shop)
    webhook_id = str(webhook(shop, "order/created")["webhook_id"])
    modify = v1("modify_webhook", token=token, webhook_id=webhook_id, url=OTHER)
    assert errors_of(shop.call_back(modify).resume(204))
    assert webhook(shop, "order/created")["url"] == HOOK
    shop.call_back(modify).resume(200)
    shop.cause("create-order")
    assert [notification.url for notification in shop.deliver()] == [OTHER]


def test_deleting_a_webhook_loses_its_queue() -> None:
    """Nothing more is sent, and a second deletion is an error."""
    shop = subscribed()
    shop.cause("create-order")
    token, webhook_id = signed_in(shop), str(webhook(shop, "order/created")["webhook_id"])
    deletion = v1("delete_webhook", token=token, webhook_id=webhook_id)
    assert shop.ask(deletion).object() == {"result": {"status": "success"}}
    assert not shop.deliver()
    assert errors_of(shop.ask(deletion))


def test_version_2_manages_webhooks_by_rest() -> None:
    """POST, PATCH, PUT actions/test with a dummy, GET and DELETE."""
    shop = Shop("2-0")
    headers = {"authorization": f"Bearer {signed_in(shop)}"}
    new: JsonObject = {"topic": "invoice/paid", "url": HOOK}
    shop.call_back(Request.json("POST", "/2-0/webhooks", new, headers)).resume(200)
    path = "/2-0/webhooks/webhook-1"
    shop.call_back(Request.json("PATCH", path, {"url": OTHER}, headers)).resume(200)
    assert shop.ask(Request("PUT", f"{path}/actions/test", headers=headers)).status == 200
    (sent,) = shop.deliver()
    assert sent.url == OTHER
    said = shop.read(sent)
    assert actions(said) == ["created", "paid"]
    assert said.reading is not None
    assert said.reading.resource.test
    listed = shop.ask(Request("GET", "/2-0/webhooks", headers=headers)).object()
    assert listed["result"] == [{**new, "webhook_id": "webhook-1", "url": OTHER}]
    assert shop.ask(Request("DELETE", path, headers=headers)).status == 200
    assert shop.ask(Request("DELETE", path, headers=headers)).status == 404


@pytest.mark.parametrize("topic", TOPICS)
def test_the_test_action_shows_what_its_topic_says(topic: str) -> None:
    """The dummy body bears its topic out."""
    shop = subscribed()
    headers = {"authorization": f"Bearer {signed_in(shop)}"}
    webhook_id = webhook(shop, topic)["webhook_id"]
    shop.ask(Request("PUT", f"/2-0/webhooks/{webhook_id}/actions/test", headers=headers))
    (sent,) = shop.deliver()
    assert shop.read(sent).claim is None


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["invoice-1", "invoice-2"]),
        ({"invoice_id": "invoice-2"}, ["invoice-2"]),
        ({"order_id": "order-1"}, ["invoice-1"]),
        ({"consumer_id": "consumer-2"}, ["invoice-2"]),
        ({"payment_method": "e"}, ["invoice-2"]),
        ({"created_from": "2026-01-01 12:30:00"}, ["invoice-2"]),
        ({"created_to": "2026-01-01 12:30:00"}, ["invoice-1"]),
        ({"invoice_id": "invoice-1", "payment_method": "e"}, []),
        ({"page": "2"}, []),
    ],
)
def test_invoices_are_filtered(filters: dict[str, str], expected: list[str]) -> None:
    """All the documented filters of get_invoices, also together."""
    shop = Shop()
    shop.cause("create-invoice")
    shop.wait(hours=1)
    shop.cause("create-invoice", method="e")
    rows: Any = shop.ask(v1("get_invoices", token=signed_in(shop), **filters)).object()["result"]
    assert [row["invoice_id"] for row in rows] == expected


@pytest.mark.parametrize("fields", [{"colour": "red"}, {"page": "0"}, {"created_from": "soon"}])
def test_an_unknown_filter_is_an_error(fields: dict[str, str]) -> None:
    """A slip in a parameter does not go unnoticed."""
    shop = Shop()
    assert errors_of(shop.ask(v1("get_invoices", token=signed_in(shop), **fields)))


def test_a_page_holds_a_hundred() -> None:
    """101 orders are two pages."""
    shop = Shop()
    for _ in range(101):
        shop.cause("create-order")
    token = signed_in(shop)
    pages: list[Any] = [
        shop.ask(v1("get_orders", token=token, page=page)).object() for page in ("1", "2")
    ]
    assert [page["total_pages"] for page in pages] == [2, 2]
    assert [len(page["result"]) for page in pages] == [100, 1]


def test_a_token_lives_an_hour() -> None:
    """To the second; a made-up one never did."""
    shop = Shop()
    token = signed_in(shop)
    shop.wait(minutes=59, seconds=59)
    assert errors_of(shop.ask(v1("get_orders", token=token))) is None
    shop.wait(seconds=1)
    assert errors_of(shop.ask(v1("get_orders", token=token))) == {"1002": "Invalid token"}
    assert errors_of(shop.ask(v1("get_orders", token="made up")))


def test_calling_on_while_throttled_disables_the_account() -> None:
    """Too many calls are throttled; whoever does not stop loses the account for good."""
    shop = Shop(strictness=Strictness(calls=2, throttled_most=3))
    sign_in = v1("authenticate", api_key=API_KEY)
    answers = (errors_of(shop.ask(sign_in)) for _ in count())
    assert [next(answers) for _ in range(2)] == [None, None]
    assert [next(answers) for _ in range(3)] == [{"1003": "Too many calls"}] * 3
    assert next(answers) == {"1004": "This account is disabled"}
    shop.wait(days=1)
    assert next(answers) == {"1004": "This account is disabled"}


def test_a_pause_ends_the_throttling() -> None:
    """Calls count for a while only."""
    shop = Shop(strictness=Strictness(calls=1, calls_per=timedelta(minutes=1)))
    sign_in = v1("authenticate", api_key=API_KEY)
    shop.ask(sign_in)
    assert errors_of(shop.ask(sign_in))
    shop.wait(minutes=1)
    assert not errors_of(shop.ask(sign_in))


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request("GET", "/1-2/get_orders"), 200),
        (Request.form("/1-2/explode", {}), 200),
        (Request("POST", "/1-2/x", headers={"content-type": "application/json"}, body=b"["), 200),
        (Request("POST", "/1-2/authenticate", body=b"\xff"), 200),
        (Request("GET", "/2-0/authenticate"), 401),
        (Request("GET", "/2-0/authenticate", headers={"authorization": "Basic !"}), 401),
        (Request("GET", "/2-0/orders"), 401),
        (Request("GET", "/3-0/orders"), 404),
    ],
)
def test_nonsense_is_answered_with_errors(request_: Request, status: int) -> None:
    """Version 1-2 says so with 200, version 2-0 with the status that REST has for it."""
    answer = SmartPaySandbox().handle(request_, NOW)
    assert not isinstance(answer, Callback)
    assert answer.status == status
    assert errors_of(answer)
