"""The ledger's rules by example, as design and events' readers know them."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from handlers.contradiction import CLOCK_SKEW, contradiction
from handlers.fact import Fact, Reading
from handlers.ledger import Entry, settle
from handlers.money import Amount
from handlers.resource import ResourceKey

INVOICE = ResourceKey("smartpay", "shop", "invoice", "aBc123")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAID_AT = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
FAILED_AT = PAID_AT - timedelta(hours=1)

CREATED = Fact(INVOICE, "created")
PAID = Fact(INVOICE, "paid", PAID_AT)
FAILED = Fact(INVOICE, "failed", FAILED_AT, discriminator="2025-12-31 22:59:59")
CANCELLED = Fact(INVOICE, "cancelled")
TEN = Amount(1000, "CAD")
ELEVEN = Amount(1100, "CAD")


def reading(*facts: Fact, amount: Amount | None = TEN, denied: str = "") -> Reading:
    """Return what an observation shows of the invoice."""
    return Reading(INVOICE, facts, amount, denied=frozenset(denied.split()))


def after(*facts: Fact, amount: Amount | None = TEN) -> Entry:
    """Return the entry of an invoice of which ``facts`` were published at NOW."""
    return settle(None, reading(*facts, amount=amount), NOW).entry


def test_a_paid_invoice_never_seen_before_is_created_first() -> None:
    """The first sight of a paid invoice publishes an inferred creation, then the payment."""
    created, paid = settle(None, reading(PAID, CREATED), NOW).publications
    assert (created.fact, created.inferred, created.sequence) == (CREATED, True, 1)
    assert (created.status, created.previous_status) == ("created", None)
    assert (paid.fact, paid.inferred, paid.late, paid.sequence) == (PAID, False, False, 2)
    assert (paid.status, paid.previous_status) == ("paid", "created")
    assert created.time == paid.time == PAID_AT


def test_a_creation_alone_is_not_inferred() -> None:
    """An invoice seen when it was created, and nothing more, needs no inference."""
    (created,) = settle(None, reading(CREATED), NOW).publications
    assert (created.inferred, created.late, created.time) == (False, False, NOW)


def test_a_failure_learned_of_after_the_payment_is_late() -> None:
    """What lies behind comes as a late event, and the status stays where it was."""
    settled = settle(after(CREATED, PAID), reading(CREATED, FAILED, PAID), NOW)
    (failed,) = settled.publications
    assert (failed.fact, failed.late, failed.sequence) == (FAILED, True, 3)
    assert (failed.status, failed.previous_status) == ("paid", "paid")
    assert settled.duplicates == 2


def test_a_failure_after_the_payment_is_not_late() -> None:
    """Within a rank the provider's time decides what came first."""
    later = Fact(INVOICE, "failed", PAID_AT + timedelta(seconds=1), discriminator="later")
    (failed,) = settle(after(CREATED, PAID), reading(later), NOW).publications
    assert (failed.late, failed.status) == (False, "failed")


def test_undated_facts_of_a_rank_come_before_dated_ones() -> None:
    """Within a rank, a fact without a time sorts first."""
    undated = Fact(INVOICE, "paid")
    assert undated.order_key < FAILED.order_key
    assert undated.order_key > CREATED.order_key


def test_a_cancellation_counts_after_a_payment() -> None:
    """Cancelled has the last word, whenever it is learned of."""
    settled = settle(after(CREATED, CANCELLED), reading(PAID), NOW)
    (paid,) = settled.publications
    assert (paid.late, paid.status) == (True, "cancelled")


def test_a_record_that_is_no_entry_is_refused() -> None:
    """Bytes that are not a ledger entry raise msgspec's own error."""
    with pytest.raises(msgspec.MsgspecError):
        Entry.decode(b"\xc1")


LATER = NOW + CLOCK_SKEW


def test_a_live_read_that_denies_what_was_published_contradicts_it() -> None:
    """An invoice shown without date_paid, after its payment was published, is a contradiction."""
    said = contradiction(after(CREATED, PAID), reading(CREATED, denied="paid cancelled"), LATER)
    assert said is not None
    assert said.startswith("paid was published")


def test_a_live_read_of_another_amount_contradicts_what_was_published() -> None:
    """Another amount than a published fact had is a contradiction, and both are told."""
    said = contradiction(after(CREATED), reading(CREATED, amount=ELEVEN), LATER)
    assert said == "created was published with 1000 minor units, and now there are 1100"


@pytest.mark.parametrize(("was", "now"), [(None, TEN), (TEN, None), (None, None)])
def test_an_amount_that_is_not_stated_contradicts_nothing(
    was: Amount | None, now: Amount | None
) -> None:
    """A webhook without an amount, or a read without one, denies no amount."""
    assert contradiction(after(CREATED, amount=was), reading(CREATED, amount=now), LATER) is None


def test_another_amount_of_another_fact_is_no_contradiction() -> None:
    """A fact that the read does not show is not measured by the read's amount."""
    assert contradiction(after(CREATED), reading(PAID, amount=ELEVEN), LATER) is None


def test_a_read_that_agrees_contradicts_nothing() -> None:
    """What was published and is shown again, with the same amount, is no contradiction."""
    assert contradiction(after(CREATED, PAID), reading(CREATED, PAID), LATER) is None
    assert contradiction(None, reading(CREATED, denied="paid"), LATER) is None
    assert contradiction(after(CREATED), reading(CREATED, denied="paid"), LATER) is None


def test_a_fact_that_is_shown_is_not_denied() -> None:
    """Of an action that may recur, the one that is shown is not what the read rules out."""
    denying = reading(CREATED, FAILED, denied="failed")
    assert contradiction(after(CREATED, FAILED), denying, LATER) is None


@pytest.mark.parametrize("early", [timedelta(microseconds=1), CLOCK_SKEW, timedelta(days=1)])
def test_a_read_made_before_the_fact_was_known_contradicts_nothing(early: timedelta) -> None:
    """A read counts only if it is later than the fact by more than clocks may differ."""
    denying = reading(CREATED, amount=ELEVEN, denied="paid")
    assert contradiction(after(CREATED, PAID), denying, LATER - early) is None
    assert contradiction(after(CREATED, PAID), denying, LATER) is not None
