"""History is entered silently, and nothing else is lost with it."""

from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.clock import microseconds
from handlers.fact import Fact, Reading
from handlers.history import ImportSince, Silence, silence
from handlers.ledger import Entry, Settlement, is_forgettable, settle
from handlers.observation import Observation, Origin
from handlers.resource import ResourceKey

from .lives import Ledger, Sight, happened_in, lives, moments, shuffled

DAY = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
BEFORE, SINCE = DAY - SECOND, DAY + SECOND
NOW = DAY + 12 * HOUR

INVOICE = ResourceKey("smartpay", "shop", "invoice", "aBc123")
CHARGE = ResourceKey("subscriply", "members", "charge", "1")
CREATED, CANCELLED = Fact(INVOICE, "created"), Fact(INVOICE, "cancelled")
PAID_BEFORE, PAID = Fact(INVOICE, "paid", BEFORE), Fact(INVOICE, "paid", DAY)
SUCCEEDED, VOIDED = Fact(CHARGE, "succeeded", BEFORE), Fact(CHARGE, "voided")

WEBHOOK = ImportSince(DAY)
WINDOW = ImportSince(DAY, is_listed=True, created_before=DAY, news_since=DAY - 30 * HOUR)
POLL = ImportSince(DAY, is_listed=True)


def settled(
    entry: Entry | None,
    said: ImportSince,
    *shown: Fact,
    created_at: datetime | None = None,
    horizon: datetime | None = None,
    at: datetime = NOW,
) -> Settlement:
    """Settle what an observation shows."""
    reading = Reading(shown[0].resource, shown, created_at=created_at)
    return settle(entry, reading, at, horizon, import_since=said)


def published(settlement: Settlement) -> list[str]:
    """Return the actions that became events."""
    return [new.fact.action for new in settlement.publications]


def in_ledger(entry: Entry) -> list[tuple[str, bool]]:
    """Return all facts of an entry, and whether each is silent."""
    return [(fact.action, fact.silent) for fact in entry.published]


@given(lives(), moments, st.sampled_from(Origin), st.randoms(use_true_random=False))
def test_of_dated_facts_those_from_the_day_on_are_published_in_any_order(
    life: list[Sight], day: datetime, origin: Origin, rng: Random
) -> None:
    """Whoever tells them, in any order, however often: the same ids, once, and no gap."""
    observation = Observation("shop", origin, "", NOW, b"")
    said = ImportSince.of(day, observation)
    entry: Entry | None = None
    ids: list[bytes] = []
    sequences: list[int] = []
    for sight in shuffled(life, rng, repeats=2):
        result = settle(entry, sight.reading, max(sight.at, day), import_since=said)
        entry = Entry.decode(result.entry.encode())
        ids += [new.fact.raw_id for new in result.publications if new.fact.occurred_at]
        sequences += [new.sequence for new in result.publications]
    dated = [(fact.occurred_at, fact.raw_id) for fact in happened_in(life)]
    assert sorted(ids) == sorted(raw_id for at, raw_id in dated if at is not None and at >= day)
    assert sequences == list(range(1, len(sequences) + 1))


@given(lives(), moments, st.lists(st.sampled_from([WEBHOOK, WINDOW, POLL]), min_size=6))
def test_history_changes_nothing_but_events(
    life: list[Sight], day: datetime, said: list[ImportSince]
) -> None:
    """The ledger holds the same facts and has the same status; each is published or history."""
    entry: Entry | None = None
    events: set[bytes] = set()
    history: set[bytes] = set()
    for sight, told in zip(life, said, strict=False):
        told_on = msgspec.structs.replace(told, day=day)
        result = settle(entry, sight.reading, sight.at, import_since=told_on)
        assert result.withheld == ()
        events |= {new.fact.raw_id for new in result.publications}
        history |= {fact.raw_id for fact in result.history}
        entry = result.entry
    assert entry is not None
    without = Entry.decode(Ledger.of(life).entries[life[0].reading.resource.partition_key])
    assert {fact.id for fact in entry.published} == {fact.id for fact in without.published}
    assert entry.status == without.status
    assert history == {fact.id for fact in entry.published if fact.silent}
    assert events == {fact.id for fact in entry.published if not fact.silent}


@given(lives(), moments, st.lists(moments, min_size=6))
def test_what_was_forgotten_stays_history(
    life: list[Sight], day: datetime, limits: list[datetime]
) -> None:
    """Dated before the day it is never an event nor withheld, whatever is forgotten between."""
    entry: Entry | None = None
    horizon: datetime | None = None
    said = ImportSince(day)
    for sight, limit in zip(life, limits, strict=False):
        result = settle(entry, sight.reading, max(sight.at, day), horizon, import_since=said)
        told = {new.fact for new in result.publications} | set(result.withheld)
        assert all(fact.occurred_at is None or fact.occurred_at >= day for fact in told)
        entry, horizon = result.entry, limit if horizon is None else max(limit, horizon)
        if is_forgettable(entry, horizon):
            entry = None


@pytest.mark.parametrize("said", [WEBHOOK, WINDOW, POLL])
def test_midnight_belongs_to_the_day(said: ImportSince) -> None:
    """What is dated a second before is history, and what is dated at midnight is not."""
    assert published(settled(None, said, PAID_BEFORE)) == []
    assert published(settled(None, said, PAID)) == ["paid"]


def test_a_window_that_ended_before_the_day_shows_history() -> None:
    """An old invoice, cancelled long ago: both are entered, without an event."""
    first = settled(None, WINDOW, CREATED, CANCELLED)
    assert published(first) == []
    assert in_ledger(first.entry) == [("created", True), ("cancelled", True)]
    assert set(first.history) == {CREATED, CANCELLED}


def test_a_window_that_reaches_into_the_day_does_not() -> None:
    """Nobody can tell which of its rows are old, so they give events."""
    said = msgspec.structs.replace(WINDOW, created_before=SINCE)
    assert published(settled(None, said, CREATED, CANCELLED)) == ["created", "cancelled"]


def test_what_is_new_in_an_old_window_is_no_history() -> None:
    """Not at the reading before, on the day or later: so it happened since."""
    said = msgspec.structs.replace(WINDOW, news_since=DAY)
    assert published(settled(None, said, CREATED, CANCELLED)) == ["created", "cancelled"]


def test_a_cancellation_of_what_was_entered_silently_is_published() -> None:
    """The ledger remembers a reading that did not show it; it goes on from the status there."""
    entry = settled(None, WINDOW, CREATED).entry
    [new] = settled(entry, WINDOW, CREATED, CANCELLED, at=NOW + HOUR).publications
    assert (new.fact, new.sequence, new.previous_status) == (CANCELLED, 1, "created")
    assert not new.late


def test_what_was_known_before_the_day_publishes_its_changes() -> None:
    """The day was set later: the change may be older than it, and may be not."""
    entry = settled(None, WINDOW, CREATED, at=BEFORE).entry
    assert published(settled(entry, WINDOW, CREATED, CANCELLED)) == ["cancelled"]


def test_what_gave_an_event_before_the_day_loses_no_payment() -> None:
    """The day was set on an account that ran: the payment came before it, its webhook after it."""
    entry = settled(None, WEBHOOK, CREATED, at=BEFORE).entry
    assert published(settled(entry, WEBHOOK, CREATED, PAID_BEFORE)) == ["paid"]


def test_an_old_invoice_that_is_paid_now_publishes_the_payment_alone() -> None:
    """By the window its creation is history: the payment is the first event."""
    result = settled(None, WINDOW, CREATED, PAID)
    [new] = result.publications
    assert (new.fact, new.sequence, new.previous_status) == (PAID, 1, "created")
    assert in_ledger(result.entry) == [("created", True), ("paid", False)]


def test_an_undated_creation_that_a_webhook_shows_is_new() -> None:
    """No window says that it is old, and the webhook came for something."""
    first, paid = settled(None, WEBHOOK, CREATED, PAID).publications
    assert (first.fact, first.inferred, paid.sequence) == (CREATED, True, 2)


def test_an_old_webhook_sent_again_gives_no_event() -> None:
    """It was created before it was paid, and that was before the day."""
    result = settled(None, WEBHOOK, CREATED, PAID_BEFORE)
    assert published(result) == []
    assert published(settled(result.entry, WEBHOOK, CREATED, PAID_BEFORE)) == []
    alone = settled(settled(None, WEBHOOK, PAID_BEFORE).entry, WEBHOOK, CREATED)
    assert published(alone) == []


def test_what_a_webhook_adds_to_an_old_payment_is_new() -> None:
    """A cancellation comes after the payment, and nobody knows by how much."""
    assert published(settled(None, WEBHOOK, CREATED, PAID_BEFORE, CANCELLED)) == ["cancelled"]


def test_a_charge_first_seen_void_goes_by_its_creation() -> None:
    """When it was voided nobody says."""
    assert published(settled(None, POLL, VOIDED, created_at=BEFORE)) == []
    assert published(settled(None, POLL, VOIDED, created_at=DAY)) == ["voided"]
    assert published(settled(None, POLL, VOIDED)) == ["voided"]


def test_an_old_charge_that_is_voided_now_is_published() -> None:
    """The event is its first, and says what it was before."""
    entry = settled(None, POLL, SUCCEEDED, created_at=BEFORE).entry
    [new] = settled(entry, POLL, VOIDED, created_at=BEFORE).publications
    assert (new.fact, new.sequence, new.previous_status) == (VOIDED, 1, "succeeded")


def test_an_old_charge_that_succeeds_now_is_published() -> None:
    """Its date is that of its creation, and the ledger remembers that it had not succeeded."""
    pending = Fact(CHARGE, "updated", discriminator="pending")
    entry = settled(None, POLL, pending, created_at=BEFORE).entry
    assert in_ledger(entry) == [("updated", True)]
    assert published(settled(entry, POLL, SUCCEEDED, created_at=BEFORE)) == ["succeeded"]
    assert published(settled(entry, POLL, SUCCEEDED)) == []


def test_a_silent_fact_is_no_sign_of_a_missed_webhook() -> None:
    """Nobody would have called for it."""
    reading = Reading(INVOICE, (CREATED, PAID))
    result = settle(None, reading, NOW, unannounced=reading.facts, import_since=WINDOW)
    assert [fact.unannounced for fact in result.entry.published] == [False, True]


def test_what_may_have_been_read_and_forgotten_is_not_taken_for_history() -> None:
    """Void since a reading that the ledger forgot, or void before: a dead letter, not silence."""
    result = settled(None, POLL, VOIDED, created_at=BEFORE, horizon=SINCE)
    assert (published(result), result.withheld) == ([], (VOIDED,))
    assert settled(None, POLL, VOIDED, created_at=BEFORE, horizon=DAY).withheld == ()


@pytest.mark.parametrize("said", [WEBHOOK, WINDOW, POLL])
def test_history_is_entered_again_after_it_was_forgotten(said: ImportSince) -> None:
    """Without an event, and without a dead letter."""
    later = settled(None, said, CREATED, PAID_BEFORE, horizon=NOW + HOUR, at=NOW + 2 * HOUR)
    assert (published(later), later.withheld) == ([], ())
    assert in_ledger(later.entry) == [("created", True), ("paid", True)]


def test_beside_history_what_is_in_doubt_is_withheld() -> None:
    """An old cancellation under a horizon is in doubt as ever; what is history is entered."""
    result = settled(None, WEBHOOK, CREATED, PAID_BEFORE, CANCELLED, horizon=DAY)
    assert (published(result), result.withheld) == ([], (CANCELLED,))
    assert in_ledger(result.entry) == [("created", True), ("paid", True)]


def test_what_was_entered_silently_stays_so_without_the_day() -> None:
    """The key was taken out: the ledger has the facts all the same."""
    entry = settled(None, WINDOW, CREATED, PAID_BEFORE).entry
    again = settle(entry, Reading(INVOICE, (CREATED, PAID_BEFORE)), NOW)
    assert (again.publications, again.duplicates) == ((), 2)


def why(entry: Entry, day: datetime | None = DAY) -> list[Silence | None]:
    """Return why each fact of an entry is silent, None if it is not."""
    return [silence(entry, fact, day) if fact.silent else None for fact in entry.published]


def test_the_ledger_tells_why_a_fact_is_silent() -> None:
    """In doubt is only what stands beside an event in an entry that was made under a horizon."""
    history = settled(None, WINDOW, CREATED, PAID).entry
    assert why(history) == why(history, None) == [Silence.HISTORY, None]
    alone = settled(None, WINDOW, CREATED, PAID_BEFORE, horizon=DAY).entry
    assert why(alone) == why(alone, None) == [Silence.HISTORY, Silence.HISTORY]
    later = Fact(INVOICE, "paid", DAY + 2 * HOUR)
    doubt = settle(None, Reading(INVOICE, (CREATED, later)), NOW, DAY + HOUR).entry
    assert why(doubt, None) == [Silence.FORGOTTEN, None]
    assert why(doubt) == [Silence.EITHER, None]
    failed = Fact(INVOICE, "failed", DAY + SECOND, discriminator="1")
    doubt = settle(None, Reading(INVOICE, (failed, later)), NOW, DAY + HOUR).entry
    assert why(doubt) == [Silence.FORGOTTEN, None]
    assert why(doubt, DAY + HOUR) == [Silence.HISTORY, None]


def test_an_observation_tells_what_is_known_of_its_time() -> None:
    """Only what is listed shows whatever there is."""
    read = Observation("shop", Origin.RECONCILIATION, "invoices", NOW, b"")
    row = msgspec.structs.replace(read, created_before=DAY, news_since=BEFORE)
    assert ImportSince.of(DAY, row) == ImportSince(DAY, True, DAY, BEFORE)
    for origin in (Origin.WEBHOOK, Origin.LOOKUP):
        assert not ImportSince.of(DAY, msgspec.structs.replace(row, origin=origin)).is_listed


def test_the_day_may_be_the_first_there_is() -> None:
    """The calendar's edge is no trap."""
    first = ImportSince(datetime(1, 1, 1, tzinfo=UTC), is_listed=True)
    assert published(settled(None, first, CREATED, PAID_BEFORE)) == ["created", "paid"]
    assert microseconds(first.day) < 0
