"""What a Subscriply transaction asserts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.fact import Uninterpretable
from handlers.jsontext import JsonObject, compact
from handlers.letters import Reason
from handlers.subscriply.handler import SubscriplyHandler

from .host import observed, reading, settings

CHARGE: JsonObject = {
    "id": 31,
    "subscription_id": 7,
    "user_id": 3,
    "invoice_id": 12,
    "amount_in_cents": 1999,
    "state": "success",
    "transaction_type": "charge",
    "created_at": "2014-02-18T13:38:57-05:00",
    "uuid": "5f1c",
    "invoice": {"id": 12, "number": "A-12", "state": "collected", "total_in_cents": 1999},
}
CREATED_AT = datetime(2014, 2, 18, 18, 38, 57, tzinfo=UTC)


def charge(**changed: object) -> JsonObject:
    """Return the charge with some fields changed."""
    return {**CHARGE, **changed}  # type: ignore[dict-item]  # JSON, as each test writes it


def test_a_successful_charge_succeeded_when_it_was_created() -> None:
    """A charge in state success asserts succeeded, at created_at in UTC."""
    found = reading(CHARGE)
    assert found.resource.partition_key == "subscriply/members/charge/31"
    assert [(f.action, f.occurred_at, f.discriminator) for f in found.facts] == [
        ("succeeded", CREATED_AT, None)
    ]


def test_a_declined_charge_was_declined_when_it_was_created() -> None:
    """A charge in state declined asserts declined, at created_at."""
    (fact,) = reading(charge(state="declined")).facts
    assert (fact.action, fact.occurred_at) == ("declined", CREATED_AT)


def test_a_void_charge_asserts_that_alone_and_undated() -> None:
    """A charge in state void asserts voided alone; when it was voided is not known."""
    (fact,) = reading(charge(state="void")).facts
    assert (fact.action, fact.occurred_at, fact.discriminator) == ("voided", None, None)


def test_an_unknown_state_is_an_update_of_its_own() -> None:
    """An unknown state asserts updated, undated, with the raw state as its discriminator."""
    (fact,) = reading(charge(state="pending review")).facts
    assert (fact.action, fact.occurred_at) == ("updated", None)
    assert fact.discriminator == "pending review"
    (other,) = reading(charge(state="chargeback")).facts
    assert fact.id != other.id


def test_a_refund_is_a_resource_of_its_own_kind_with_a_positive_amount() -> None:
    """A refund is the kind refund; its amount is positive."""
    found = reading(charge(transaction_type="refund"))
    assert found.resource.kind == "refund"
    assert found.amount is not None
    assert found.amount.value == "19.99"


def test_the_amount_is_in_the_accounts_currency() -> None:
    """Cents are the minor units of the currency that the account is set with."""
    bound = SubscriplyHandler(settings(currency="EUR"))
    found = bound.interpret(observed(CHARGE)).reading
    assert found is not None
    assert found.amount is not None
    assert (found.amount.minor_units, found.amount.currency) == (1999, "EUR")


def test_null_says_nothing() -> None:
    """A null amount, time and invoice give no amount, no time and no related invoice."""
    found = reading(charge(amount_in_cents=None, created_at=None, invoice=None, invoice_id=None))
    assert (found.amount, found.facts[0].occurred_at) == (None, None)
    assert found.related == {"subscription": "7", "user": "3"}


def test_the_invoice_is_known_by_either_field() -> None:
    """The related invoice is the transaction's invoice_id, else the id of its invoice."""
    assert reading(CHARGE).related == {"subscription": "7", "user": "3", "invoice": "12"}
    assert reading(charge(invoice_id=None)).related["invoice"] == "12"


def test_the_transaction_goes_along_as_it_came() -> None:
    """The details are the transaction with every field, known or not."""
    body = charge(something_new={"a": [1, None]})
    assert reading(body).details == body


@pytest.mark.parametrize(
    ("state", "denied"),
    [
        ("success", {"voided"}),
        ("declined", {"voided", "succeeded"}),
        ("void", set()),
        ("other", set()),
    ],
)
def test_a_state_denies_what_it_rules_out(state: str, denied: set[str]) -> None:
    """A live success rules out voided; declined rules out succeeded too; others nothing."""
    assert reading(charge(state=state)).denied == denied


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (charge(transaction_type="adjustment"), Reason.BAD_FIELD),
        (charge(transaction_type=["charge"]), Reason.BAD_FIELD),
        (charge(state=None), Reason.BAD_FIELD),
        (charge(state=""), Reason.BAD_FIELD),
        (charge(state=3), Reason.BAD_FIELD),
        (charge(amount_in_cents=-1), Reason.BAD_FIELD),
        (charge(amount_in_cents="ten"), Reason.BAD_FIELD),
        (charge(amount_in_cents=True), Reason.BAD_FIELD),
        (charge(created_at="yesterday"), Reason.BAD_FIELD),
        (charge(created_at="2014-02-18T13:38:57"), Reason.BAD_FIELD),
        (charge(created_at="0001-01-01T00:00:00+14:00"), Reason.BAD_FIELD),
        (charge(created_at=1392748737), Reason.BAD_FIELD),
        (charge(created_at="yesterday", state="void"), Reason.BAD_FIELD),
        (charge(id=None), Reason.NO_ID),
        (charge(id=" "), Reason.NO_ID),
        ([CHARGE], Reason.NOT_JSON),
        (None, Reason.NOT_JSON),
        ("charge", Reason.NOT_JSON),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(body: JsonObject, reason: Reason) -> None:
    """A transaction without an id, or with a field that cannot be read, becomes no event."""
    with pytest.raises(Uninterpretable) as refused:
        reading(body)
    assert refused.value.reason == reason


def test_a_subscription_without_a_usable_id_is_refused_as_such() -> None:
    """An odd element of the root listing is a dead letter without an id."""
    with pytest.raises(Uninterpretable) as refused:
        SubscriplyHandler(settings()).interpret(observed({"id": "a/b"}, topic="subscriptions"))
    assert refused.value.reason == Reason.NO_ID


def test_an_unknown_collection_is_refused() -> None:
    """A transaction under a topic that Subscriply does not have becomes no event."""
    with pytest.raises(Uninterpretable) as refused:
        SubscriplyHandler(settings()).interpret(observed(CHARGE, topic="invoices"))
    assert refused.value.reason == Reason.TOPIC_BEYOND_BODY


def test_one_transaction_has_one_inbox_key_in_any_state() -> None:
    """The inbox key is that of the resource, whatever the state, and however the id is written."""
    bound = SubscriplyHandler(settings())
    states = ["success", "declined", "void", "other", None]
    bodies = [charge(state=state) for state in states] + [charge(id="31")]
    keys = {bound.inbox_key("transactions", compact(body)) for body in bodies}
    assert keys == {reading(CHARGE).resource.inbox_key}


@given(st.binary() | st.builds(compact, st.dictionaries(st.sampled_from(list(CHARGE)), st.none())))
def test_the_inbox_key_is_never_refused(body: bytes) -> None:
    """Bytes that name no transaction are keyed by their digest."""
    key = SubscriplyHandler(settings()).inbox_key("transactions", body)
    assert key.startswith("subscriply/members/unknown/")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from(list(CHARGE)), JSON)
def test_any_field_may_hold_anything(field: str, value: object) -> None:
    """Whatever one field holds, there is a reading or a refusal with a reason, nothing else."""
    reason = None
    try:
        reading(charge(**{field: value}))
    except Uninterpretable as refused:
        reason = refused.reason
    assert reason in {None, Reason.BAD_FIELD, Reason.NO_ID}
