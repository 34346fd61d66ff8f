"""What goes wrong at SmartPay, as the sandbox has it."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from handlers.exchange import RefusedForGood, Request, Response
from handlers.fact import Fact
from handlers.provider import BadSignature
from handlers.registration import Action, StepFailed
from handlers.resource import ResourceKey
from handlers.sandbox import Callback, Notification
from handlers.smartpay.sandbox import Strictness
from handlers.smartpay.sandbox.access import API_KEY
from handlers.smartpay.sandbox.strictness import Twenty
from handlers.smartpay.signature import TOPIC_HEADER
from handlers.smartpay.topics import TOPICS
from tests.unit.smartpay.host import BASE_URL, HOOK, NOW, Shop, handler
from tests.unit.smartpay.registering import OTHER, carry_out, create, listed, step_on


def subscribed(**strictness: Any) -> Shop:
    """Return a shop whose notifications go to HOOK."""
    shop = Shop(strictness=Strictness(**strictness))
    shop.sandbox.subscribe(HOOK)
    return shop


def rows(shop: Shop, collection: str = "invoices", **filters: str) -> list[dict[str, Any]]:
    """Return the rows of one page of a listing."""
    token: Any = shop.ask(Request.form("/1-2/authenticate", {"api_key": API_KEY})).object()
    fields = {"token": token["result"]["token"], **filters}
    found: Any = shop.ask(Request.form(f"/1-2/get_{collection}", fields)).object()["result"]
    return list(found)


def is_enabled(shop: Shop, topic: str) -> bool:
    """Tell whether a topic's webhook is enabled, which SmartPay itself never tells."""
    shown = {each["topic"]: each["is_enabled"] for each in shop.cause("webhooks")}
    return bool(shown[topic])


def order_fact(number: int) -> Fact:
    """Return the fact that an order was created."""
    return Fact(ResourceKey("smartpay", "shop", "order", f"order-{number}"), "created")


@pytest.mark.parametrize("twenty", list(Twenty))
def test_the_twentieth_try_of_one_ends_a_webhook_in_either_reading(twenty: Twenty) -> None:
    """One notification that is never taken does it: nineteen tries do not."""
    shop = subscribed(twenty=twenty, longest_retry=timedelta(minutes=1))
    shop.cause("create-order")
    for _ in range(19):
        assert len(shop.deliver(500)) == 1
        shop.wait(minutes=1)
    assert is_enabled(shop, "order/created")
    shop.deliver(500)
    assert not is_enabled(shop, "order/created")
    shop.wait(days=1)
    assert not shop.deliver()


@pytest.mark.parametrize(("twenty", "enabled"), [(Twenty.IN_ALL, False), (Twenty.OF_ONE, True)])
def test_the_readings_differ_on_many_notifications(twenty: Twenty, enabled: bool) -> None:
    """Twenty failures of twenty notifications: only "in all" ends the webhook."""
    shop = subscribed(twenty=twenty)
    for _ in range(20):
        shop.cause("create-order")
    assert len(shop.deliver(500)) == 20
    assert is_enabled(shop, "order/created") is enabled


@pytest.mark.parametrize("enables", [True, False])
def test_moving_to_the_same_url_may_not_enable(enables: bool) -> None:
    """It calls back either way; nothing says whether it enables."""
    shop = subscribed(modify_enables=enables)
    shop.cause("disable-webhook", topic="order/created")
    (mine,) = [one for one in listed(shop) if one.topic == "order/created"]
    carry_out(shop, step_on(Action.MODIFY, mine))
    assert is_enabled(shop, "order/created") is enables


def test_creating_anew_always_enables() -> None:
    """Deleted and created: the one way that is sure."""
    shop = subscribed(modify_enables=False)
    shop.cause("disable-webhook", topic="order/created")
    (mine,) = [one for one in listed(shop) if one.topic == "order/created"]
    carry_out(shop, step_on(Action.DELETE, mine))
    carry_out(shop, create("order/created"))
    assert is_enabled(shop, "order/created")


def test_a_webhook_is_disabled_silently() -> None:
    """The listing shows it as ever; nothing is sent, and what is queued is lost."""
    shop = subscribed()
    before = listed(shop)
    shop.cause("create-order")
    shop.cause("disable-webhook", topic="order/created")
    shop.cause("create-order")
    assert not shop.deliver()
    assert listed(shop) == before
    assert not shop.sandbox.caused("shop")


def test_a_webhook_is_lost() -> None:
    """One topic, or all: the listing does not show it any more."""
    shop = subscribed()
    shop.cause("lose-webhook", topic="order/created")
    assert "order/created" not in [one.topic for one in listed(shop)]
    assert len(shop.cause("lose-webhook")) == len(TOPICS) - 1
    assert listed(shop) == ()
    with pytest.raises(ValueError, match="none yet"):
        shop.cause("lose-webhook")


@pytest.mark.parametrize("action", [Action.CREATE, Action.MODIFY])
def test_an_answer_must_come_in_time(action: Action) -> None:
    """How long it may take goes with what is sent; no answer in time rejects the call."""
    limit = timedelta(seconds=3)
    shop = Shop("2-0", Strictness(answer_within=limit))
    carry_out(shop, create())
    (mine,) = listed(shop)
    step = create("order/created") if action is Action.CREATE else step_on(action, mine, OTHER)
    conversation = shop.handler.registration.carry_out(step, shop.session)
    pending = shop.sandbox.handle(next(conversation), shop.now)
    assert isinstance(pending, Callback)
    assert pending.notification.within == limit
    with pytest.raises(StepFailed):
        conversation.send(pending.resume(None))
    assert listed(shop) == (mine,)
    shop.cause("create-order")
    assert all(sent.within == limit for sent in shop.deliver())


def test_a_topic_that_is_taken_meanwhile_is_refused() -> None:
    """Two that create at once: the second to answer does not replace the first."""
    shop = Shop()
    steps = [
        shop.handler.registration.carry_out(create(url=u), shop.session) for u in (HOOK, OTHER)
    ]
    asked = [shop.ask(next(step)) for step in steps[:1]]
    calls = [steps[0].send(asked[0])]
    listed(shop)
    calls.append(next(steps[1]))
    pending = [shop.call_back(call) for call in calls]
    with pytest.raises(StopIteration):
        steps[0].send(pending[0].resume(200))
    with pytest.raises(StepFailed, match="subscribed already"):
        steps[1].send(pending[1].resume(200))
    assert [one.url for one in listed(shop)] == [HOOK]


def test_one_that_is_lost_while_it_is_moved_is_refused() -> None:
    """What is not there any more is not moved."""
    shop = subscribed()
    mine = listed(shop)[0]
    conversation = shop.handler.registration.carry_out(
        step_on(Action.MODIFY, mine, OTHER), shop.session
    )
    pending = shop.call_back(next(conversation))
    shop.cause("lose-webhook", topic=mine.topic)
    with pytest.raises(StepFailed, match="No such webhook"):
        conversation.send(pending.resume(200))


def test_the_key_is_rotated_at_smartpay() -> None:
    """From then on it signs with the new one, and refuses the old."""
    shop = subscribed()
    listed(shop)
    shop.cause("create-order")
    (first,) = shop.deliver()
    rotated = shop.cause("rotate-key")["api_key"]
    shop.cause("create-order")
    (second,) = shop.deliver()
    shop.handler.verify(first.headers, first.body, NOW)
    with pytest.raises(BadSignature):
        shop.handler.verify(second.headers, second.body, NOW)
    assert handler(api_key=rotated).verify(second.headers, second.body, NOW)[0] == "order/created"
    with pytest.raises(RefusedForGood, match="1001: Invalid key"):
        listed(shop)
    assert shop.sandbox.account("shop", BASE_URL).api_key.get_secret_value() == rotated
    shop.handler = handler(api_key=rotated)
    assert len(listed(shop)) == len(TOPICS)


def test_a_rotated_key_signs_callbacks_too() -> None:
    """webhook/created comes under the new key."""
    shop = Shop()
    rotated = handler(api_key=shop.cause("rotate-key")["api_key"])
    conversation = rotated.registration.carry_out(create(), shop.session)
    pending = shop.call_back(conversation.send(shop.ask(next(conversation))))
    sent = pending.notification
    assert rotated.verify(sent.headers, sent.body, NOW)
    with pytest.raises(BadSignature):
        shop.handler.verify(sent.headers, sent.body, NOW)


def test_going_on_after_errors_disables_the_account() -> None:
    """Errors of any kind, spread over any calls; a pause forgets them."""
    shop = subscribed(errors_most=3, errors_per=timedelta(hours=1))
    wrong = Request.form("/1-2/get_orders", {"token": "made up"})

    def errors() -> Any:
        return shop.ask(wrong).object()["errors"]

    for _ in range(3):
        assert errors() == {"1002": "Invalid token"}
    shop.wait(hours=1)
    for _ in range(4):
        assert rows(shop) == []
        assert errors() == {"1002": "Invalid token"}
    assert errors() == {"1004": "This account is disabled"}
    shop.wait(days=1)
    assert errors() == {"1004": "This account is disabled"}


def test_rejected_registrations_are_errors_too() -> None:
    """Creating again and again what our URL does not take ends the account."""
    shop = Shop(strictness=Strictness(errors_most=2))
    for _ in range(3):
        with pytest.raises(StepFailed):
            carry_out(shop, create(), 500)
    with pytest.raises(RefusedForGood, match="disabled"):
        carry_out(shop, create())


def test_an_account_is_enabled_again() -> None:
    """By somebody at SmartPay, and with nothing held against it."""
    shop = subscribed(calls=3, throttled_most=1)
    sign_in = Request.form("/1-2/authenticate", {"api_key": API_KEY})
    answers = (shop.ask(sign_in).object().get("errors") for _ in count())
    assert [next(answers) is None for _ in range(5)] == [True, True, True, False, False]
    shop.cause("enable-account")
    assert [next(answers) is None for _ in range(4)] == [True, True, True, False]


def test_throttled_at_will() -> None:
    """Every call is one too many until that ends; whoever goes on is disabled as ever."""
    shop = subscribed(throttled_most=2)
    sign_in = Request.form("/1-2/authenticate", {"api_key": API_KEY})
    answers = (shop.ask(sign_in).object().get("errors") for _ in count())
    shop.cause("throttle")
    assert [next(answers) for _ in range(2)] == [{"1003": "Too many calls"}] * 2
    shop.cause("throttle", on="no")
    assert next(answers) is None
    shop.cause("throttle")
    assert [next(answers) for _ in range(3)][-1] == {"1004": "This account is disabled"}


@pytest.mark.parametrize("version", ["1-2", "2-0"])
def test_a_version_is_about_to_retire(version: str) -> None:
    """One of them, or both: each good answer warns."""
    shop = Shop(version)
    other = "2-0" if version == "1-2" else "1-2"
    shop.cause("retire-version", version=other)
    listed(shop)
    assert shop.session.warnings == set()
    shop.cause("retire-version")
    listed(shop)
    assert shop.session.warnings == {f"2001: Version {version} is about to retire"}
    with pytest.raises(ValueError, match="1-2 or 2-0"):
        shop.cause("retire-version", version="3-0")


def test_notifications_are_lost_unsent() -> None:
    """The next two never come, and count for nothing; the one after them does."""
    shop = subscribed()
    shop.cause("drop", count="2")
    for _ in range(3):
        shop.cause("create-order")
    shop.wait(days=1)
    assert len(shop.deliver()) == 1
    assert shop.sandbox.caused("shop") == {order_fact(3).id}
    assert is_enabled(shop, "order/created")


@pytest.mark.parametrize("argument", ["0", "-1", "many", "1000000000"])
@pytest.mark.parametrize(("control", "name"), [("drop", "count"), ("arrive-while-paging", "pages")])
def test_a_wrong_number_is_refused(control: str, name: str, argument: str) -> None:
    """In words."""
    with pytest.raises(ValueError, match="is not a number"):
        subscribed().cause(control, **{name: argument})


def test_a_listing_lags_behind() -> None:
    """A row is shown as it was: not yet, then unpaid, then paid; and told only as it was shown."""
    shop = subscribed(listing_lag=timedelta(minutes=5))
    shop.cause("drop", count="3")
    shop.cause("create-invoice")
    shop.wait(minutes=2)
    shop.cause("pay")
    assert rows(shop) == []
    assert not shop.sandbox.caused("shop")
    shop.wait(minutes=3)
    assert [row["date_paid"] for row in rows(shop)] == [None]
    assert len(shop.sandbox.caused("shop")) == 1
    shop.wait(minutes=2)
    assert [row["date_paid"] for row in rows(shop)] == ["2026-01-01 12:02:00"]
    assert len(shop.sandbox.caused("shop")) == 2


def test_a_lagging_listing_shows_cancellations_late() -> None:
    """Of orders and of invoices alike."""
    shop = subscribed(listing_lag=timedelta(minutes=5))
    shop.cause("create-invoice")
    shop.wait(minutes=5)
    shop.cause("cancel-invoice")
    shop.cause("cancel-order")
    for collection in ("invoices", "orders"):
        assert [row["is_enabled"] for row in rows(shop, collection)] == ["1"]
    shop.wait(minutes=5)
    for collection in ("invoices", "orders"):
        assert [row["is_enabled"] for row in rows(shop, collection)] == ["0"]


def test_rows_arrive_while_others_are_read() -> None:
    """Newest first, what arrives moves the rest: a row is on two pages, or would be on none."""
    shop = subscribed(newest_first=True, page_size=2)
    for _ in range(4):
        shop.cause("create-invoice")
    shop.cause("arrive-while-paging", pages="1")
    pages = [rows(shop, page=page) for page in ("1", "2", "1")]
    assert [[row["invoice_id"] for row in page] for page in pages] == [
        ["invoice-4", "invoice-3"],
        ["invoice-3", "invoice-2"],
        ["invoice-5", "invoice-4"],
    ]
    assert [sent.headers[TOPIC_HEADER] for sent in shop.deliver()][-2:] == [
        "order/created",
        "invoice/created",
    ]


def arrivals(shop: Shop) -> list[tuple[int, Notification]]:
    """Deliver for a minute, second by second, and return what came when."""
    came = []
    for second in range(60):
        came += [(second, sent) for sent in shop.deliver()]
        shop.wait(seconds=1)
    return came


def test_deliveries_come_in_disorder_the_same_way_for_a_seed() -> None:
    """Reordered and some twice; all that was caused is told; another seed, another order."""
    runs = []
    for seed in (1, 1, 2):
        shop = subscribed(disorder=seed, disorder_within=timedelta(seconds=30))
        for _ in range(40):
            shop.cause("create-order")
        runs.append(arrivals(shop))
        bodies = [sent.body for _, sent in runs[-1]]
        assert len(bodies) > len(set(bodies)) == 40
        numbers = [int(sent.id.rpartition("-")[2]) for _, sent in runs[-1]]
        assert numbers != sorted(numbers)
        assert shop.sandbox.caused("shop") == {order_fact(n + 1).id for n in range(40)}
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_test_notification_is_in_no_listing() -> None:
    """It is about test data that nothing else ever shows."""
    shop = Shop("2-0")
    for topic in TOPICS:
        carry_out(shop, create(topic))
    for one in listed(shop):
        carry_out(shop, step_on(Action.TEST, one))
    sent = shop.deliver()
    assert len(sent) == len(TOPICS)
    readings = [shop.read(each).reading for each in sent]
    assert all(reading is not None and reading.resource.test for reading in readings)
    assert rows(shop) == rows(shop, "orders") == []


def test_an_answer_has_errors_or_a_result() -> None:
    """A warning stands beside a result, never instead of it."""
    shop = Shop()
    shop.cause("retire-version")
    answer: Response = shop.ask(Request.form("/1-2/authenticate", {"api_key": API_KEY}))
    assert answer.object().keys() == {"result", "warnings"}
