from typing import Any

import pytest

from handlers.fact import Claim, Fact, Interpretation, Uninterpretable
from handlers.observation import Origin
from handlers.resource import ResourceKey
from handlers.smartpay.topics import TOPICS
from tests.unit.smartpay.host import actions, handler, interpreted, observed

INVOICE = {"invoice_id": "i1", "order_id": "o1", "date_paid": None, "is_enabled": True}
ORDER = {"order_id": "o1", "is_enabled": True}
PAID = {**INVOICE, "date_paid": "2018-01-01 12:00:00"}
IN_THE_FIELD = {"data": {"order_custom_id": "shop-1", "payment_method": "d"}}

KEYED = ResourceKey("smartpay", "shop", "invoice", "i1")


def about_itself(action: str) -> Claim:
    """Return the claim that the invoice i1, which keys the body, is ``action``."""
    return Claim("invoice", action, "invoice_id", "i1", Fact(KEYED, action))


TABLE = [
    # topic, body, what the reading asserts (None: there is none), what is only claimed
    ("invoice/created", INVOICE, ["created"], None),
    ("invoice/paid", PAID, ["created", "paid"], None),
    ("invoice/created", PAID, ["created", "paid"], None),
    ("invoice/paid", INVOICE, ["created"], about_itself("paid")),
    ("invoice/cancelled", INVOICE, ["created"], about_itself("cancelled")),
    ("invoice/cancelled", {**INVOICE, "is_enabled": "0"}, ["created", "cancelled"], None),
    ("invoice/refunded", PAID, ["created", "paid"], about_itself("refunded")),
    ("order/created", ORDER, ["created"], None),
    ("order/cancelled", {**ORDER, "is_enabled": 0}, ["created", "cancelled"], None),
    (
        "order/cancelled",
        ORDER,
        ["created"],
        Claim(
            "order",
            "cancelled",
            "order_id",
            "o1",
            Fact(ResourceKey("smartpay", "shop", "order", "o1"), "cancelled"),
        ),
    ),
    # The topic means another resource than the one that keys the body.
    ("order/created", INVOICE, ["created"], Claim("order", "created", "order_id", "o1")),
    ("order/cancelled", PAID, ["created", "paid"], Claim("order", "cancelled", "order_id", "o1")),
    (
        "order/created",
        {"invoice_id": "i1"},
        ["created"],
        Claim("order", "created", "invoice_id", "i1"),
    ),
    (
        "order/created",
        {"invoice_id": "i1", "order_custom_id": "s"},
        ["created"],
        Claim("order", "created", "custom_order_id", "s"),
    ),
    ("invoice/paid", ORDER, ["created"], Claim("invoice", "paid", "order_id", "o1")),
    # What the public plug-ins show of bodies in the field.
    ("invoice/paid", IN_THE_FIELD, None, Claim("invoice", "paid", "custom_order_id", "shop-1")),
    ("order/created", IN_THE_FIELD, None, Claim("order", "created", "custom_order_id", "shop-1")),
    (
        "invoice/refunded",
        IN_THE_FIELD,
        None,
        Claim("invoice", "refunded", "custom_order_id", "shop-1"),
    ),
    (
        "invoice/paid",
        {"invoice": {"order_id": "o1"}},
        None,
        Claim("invoice", "paid", "order_id", "o1"),
    ),
    # Topics that nobody has told us of.
    (
        "invoice/exploded",
        PAID,
        ["created", "paid"],
        Claim("", "invoice/exploded", "invoice_id", "i1"),
    ),
    ("", ORDER, ["created"], Claim("", "", "order_id", "o1")),
    (
        "invoice/failed",
        IN_THE_FIELD,
        None,
        Claim("", "invoice/failed", "custom_order_id", "shop-1"),
    ),
]


@pytest.mark.parametrize(("topic", "body", "asserted", "claim"), TABLE)
def test_binding_of_topics(
    topic: str, body: dict[str, Any], asserted: list[str] | None, claim: Claim | None
) -> None:
    """What the body shows is asserted; what only the topic says is claimed."""
    said = interpreted(body, topic)
    assert said.claim == claim
    if asserted is None:
        assert said.reading is None
    else:
        assert actions(said) == asserted


@pytest.mark.parametrize(
    ("claim", "askable"),
    [
        (Claim("invoice", "paid", "invoice_id", "i1"), True),
        (Claim("invoice", "cancelled", "order_id", "o1"), True),
        (Claim("invoice", "created", "custom_order_id", "s"), True),
        (Claim("order", "cancelled", "order_id", "o1"), True),
        (Claim("order", "created", "custom_order_id", "s"), True),
        (Claim("order", "created", "invoice_id", "i1"), False),
        (Claim("invoice", "refunded", "invoice_id", "i1"), False),
        (Claim("", "invoice/exploded", "invoice_id", "i1"), False),
        (Claim("", "paid", "invoice_id", "i1"), False),
    ],
)
def test_what_can_be_looked_up(claim: Claim, askable: bool) -> None:
    """The listings show creation, payment and cancellation; nothing shows a refund."""
    assert handler().can_look_up(claim) is askable


@pytest.mark.parametrize("topic", [*TOPICS, "invoice/refunded", "invoice/exploded", "invoices"])
@pytest.mark.parametrize("body", [INVOICE, ORDER, {"result": INVOICE}, IN_THE_FIELD])
def test_no_topic_forges_a_fact(topic: str, body: dict[str, Any]) -> None:
    """A signed created body that is replayed under any topic never asserts more than created."""
    said = interpreted(body, topic)
    assert said.reading is None or actions(said) == ["created"]


@pytest.mark.parametrize("action", ["paid", "cancelled", "refunded"])
def test_a_trusted_topic_asserts_the_fact_undated(action: str) -> None:
    """With trust_topic_header the claim about the body's own resource is a fact, without a date."""
    said = interpreted(INVOICE, f"invoice/{action}", trust_topic_header=True)
    assert said.claim is None
    assert said.reading is not None
    assert said.reading.facts[-1] == Fact(KEYED, action)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("invoice/paid", ORDER),
        ("order/cancelled", INVOICE),
        ("invoice/paid", IN_THE_FIELD),
        ("invoice/exploded", INVOICE),
    ],
)
def test_trust_reaches_no_other_resource(topic: str, body: dict[str, Any]) -> None:
    """Even a trusted topic only claims where the body is about something else."""
    said = interpreted(body, topic, trust_topic_header=True)
    assert said == interpreted(body, topic)
    assert said.claim is not None


def test_a_dummy_claims_for_test_data() -> None:
    """The claimed fact is that of the test resource, which no live fact can hide."""
    said = interpreted({**INVOICE, "is_dummy": "1"}, "invoice/paid")
    assert said.claim is not None
    assert said.claim.fact is not None
    assert said.claim.fact.resource.test


@pytest.mark.parametrize("body", [{}, b"not json", {"data": {"topic": "invoice/paid", "url": "x"}}])
def test_a_registration_says_nothing_but_that_it_is_one(body: Any) -> None:
    """webhook/created is about no resource, whatever else it holds: it answers our registering."""
    assert interpreted(body, "webhook/created") == Interpretation(answers_us=True)


def test_an_old_webhook_sent_again_as_a_registration_answers_nobody() -> None:
    """The topic is not signed: what the body shows is believed, and proves no registration."""
    said = interpreted(PAID, "webhook/created")
    assert not said.answers_us
    assert said.claim is None
    assert actions(said) == ["created", "paid"]
    silent = {"data": {"order_custom_id": "shop-1", "payment_method": "d"}}
    assert interpreted(silent, "webhook/created") == Interpretation()


@pytest.mark.parametrize("topic", ["invoice/created", "invoice/paid", "order/created", "other"])
def test_a_dummy_may_answer_a_test(topic: str) -> None:
    """What is no test data answers nobody, and a dummy asserts its facts all the same."""
    assert not interpreted(PAID, topic).answers_us
    said = interpreted({**PAID, "is_dummy": True}, topic)
    assert said.answers_us
    assert actions(said) == ["created", "paid"]


DUMMIES = [{"is_dummy": mark} for mark in (True, 1, "1", "true", "True")]


@pytest.mark.parametrize("topic", [*TOPICS, "", "other"])
@pytest.mark.parametrize(
    "body",
    [
        *DUMMIES,
        {"data": {"is_dummy": True}},
        {"result": {"invoice": {"is_dummy": "1"}}},
        {"data": [{"is_dummy": "true"}, {"payment_method": "d"}]},
        {"is_dummy": True, "data": {"is_dummy": False, "invoice_id": ""}},
    ],
)
def test_a_dummy_that_names_nothing_only_answers(topic: str, body: dict[str, Any]) -> None:
    """What a test notification holds but is_dummy is not documented: an id may not be there."""
    assert interpreted(body, topic) == Interpretation(answers_us=True)


@pytest.mark.parametrize("dummy", DUMMIES)
def test_a_dummy_that_is_asked_about_answers_too(dummy: dict[str, Any]) -> None:
    """The merchant's own id of an order names nothing that could be test data, and is claimed."""
    said = interpreted({**IN_THE_FIELD, **dummy}, "invoice/paid")
    assert said.answers_us
    assert said.claim == Claim("invoice", "paid", "custom_order_id", "shop-1")


@pytest.mark.parametrize("mark", [False, 0, "0", "false", "", None, "perhaps", 2, {}, [True]])
def test_what_is_no_dummy_and_names_nothing_is_refused(mark: Any) -> None:
    """A mark that cannot be read does not make a webhook vanish."""
    with pytest.raises(Uninterpretable) as refused:
        interpreted({"is_dummy": mark}, "invoice/created")
    assert refused.value.reason == "no-id"


@pytest.mark.parametrize("origin", [Origin.RECONCILIATION, Origin.LOOKUP])
def test_a_dummy_row_that_names_nothing_is_refused(origin: Origin) -> None:
    """Only a webhook answers us: a listing has rows of something."""
    with pytest.raises(Uninterpretable):
        handler().interpret(observed({"is_dummy": True}, "invoices", origin))


def test_a_dummy_in_a_listing_answers_nobody() -> None:
    """Only a webhook can be what the provider sends on our call."""
    row = observed({**PAID, "is_dummy": True}, "invoices", Origin.RECONCILIATION)
    assert not handler().interpret(row).answers_us


def test_a_topic_does_not_make_an_id() -> None:
    """Without anything to ask by, the topic alone is a dead letter."""
    with pytest.raises(Uninterpretable) as refused:
        interpreted({"payment_method": "d"}, "invoice/paid")
    assert refused.value.reason == "no-id"


@pytest.mark.parametrize(
    ("kind", "action", "topic"),
    [
        ("invoice", "created", "invoice/created"),
        ("invoice", "paid", "invoice/paid"),
        ("invoice", "cancelled", "invoice/cancelled"),
        ("order", "created", "order/created"),
        ("order", "cancelled", "order/cancelled"),
        ("invoice", "failed", None),
        ("invoice", "refunded", None),
    ],
)
def test_each_fact_has_the_topic_that_announces_it(
    kind: str, action: str, topic: str | None
) -> None:
    """What can be subscribed announces what it is called after, and no test is waited for."""
    live, test = (ResourceKey("smartpay", "shop", kind, "1", is_test) for is_test in (False, True))
    assert handler().announcing_topic(Fact(live, action)) == topic
    assert handler().announcing_topic(Fact(test, action)) is None
