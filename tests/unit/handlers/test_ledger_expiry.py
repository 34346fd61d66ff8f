"""What the ledger has forgotten is never published again, and nothing else is lost with it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.fact import RANKS, Fact, Reading
from handlers.ledger import Entry, Publication, Settlement, is_forgettable, settle
from handlers.money import Amount
from handlers.resource import ResourceKey

from .lives import facts, kinds

DAY = timedelta(days=1)
Story: TypeAlias = list[tuple[int, tuple[int, int] | None]]

START = datetime(2026, 1, 1, tzinfo=UTC)
INVOICE = ResourceKey("smartpay", "shop", "invoice", "aBc123")
TRANSFER = ResourceKey("voucherry", "cherries", "transfer", "1")
HORIZON = START
OLD, FRESH = HORIZON - DAY, HORIZON + DAY

CREATED = Fact(INVOICE, "created")
FAILED_LONG_AGO = Fact(INVOICE, "failed", OLD, discriminator="long ago")
PAID = Fact(INVOICE, "paid", FRESH)
PAID_LONG_AGO = Fact(INVOICE, "paid", OLD)
CANCELLED = Fact(INVOICE, "cancelled")


@dataclass(frozen=True)
class Told:
    """One observation: what the ledger knew and how far back it was sure, and what followed."""

    reading: Reading
    known: frozenset[bytes]
    since: datetime | None
    settled: Settlement


@dataclass
class Memory:
    """The ledger of one resource, with a horizon, over time."""

    now: datetime = START
    horizon: datetime | None = None
    entry: Entry | None = None
    told: list[Told] = field(default_factory=list)

    @property
    def published(self) -> list[Publication]:
        """All that was ever published."""
        return [new for told in self.told for new in told.settled.publications]

    def live(self, days: int, offset: int) -> None:
        """Let time pass; move the horizon to wherever a clock says, and forget what may be."""
        self.now += days * DAY
        to = self.now + offset * DAY
        self.horizon = to if self.horizon is None else max(self.horizon, to)
        if self.entry and is_forgettable(self.entry, self.horizon):
            self.entry = None

    def observe(self, reading: Reading) -> None:
        """Settle a reading, and keep what a router would keep."""
        settled = settle(self.entry, reading, self.now, self.horizon)
        known = frozenset(fact.id for fact in self.entry.published) if self.entry else frozenset()
        self.told.append(Told(reading, known, self.horizon, settled))
        if settled.publications:
            self.entry = Entry.decode(settled.entry.encode())


def _days(least: int, most: int) -> st.SearchStrategy[timedelta]:
    return st.integers(least, most).map(lambda days: days * DAY)


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    """Draw all observations of one resource, as providers show it.

    Dates lie in the past and in the future, or are not told; all of the lowest rank are one, its
    birth, which lies before the first observation.
    """
    resource = ResourceKey("acme", "shop", draw(kinds), "1")
    birth = draw(st.none() | _days(-5, 0))
    ranks = RANKS[resource.kind]

    def dated(fact: Fact, offset: timedelta | None) -> Fact:
        lowest = ranks[fact.action] == min(ranks.values())
        day = birth if lowest else offset
        return msgspec.structs.replace(fact, occurred_at=None if day is None else START + day)

    drawn = st.builds(dated, facts(resource), st.none() | _days(-5, 25))
    happened = draw(st.lists(drawn, min_size=1, max_size=5, unique_by=lambda fact: fact.id))
    shown = st.lists(st.sampled_from(happened), min_size=1, max_size=len(happened))
    told = st.builds(lambda some: Reading(resource, tuple(some), Amount(1000, "CAD")), shown)
    return draw(st.lists(told, min_size=1, max_size=4))


stories = st.lists(
    st.tuples(st.integers(0, 3), st.none() | st.tuples(st.integers(0, 8), st.integers(-8, 8))),
    min_size=2,
    max_size=10,
)
"""What is observed, one after the other, and how much time passes before the next."""


def remembered(shown: list[Reading], story: Story) -> Memory:
    """Return the memory after observations in any order, at any time."""
    memory = Memory()
    for number, pause in story:
        memory.observe(shown[number % len(shown)])
        if pause is not None:
            memory.live(*pause)
    return memory


@settings(max_examples=400)
@given(readings(), stories)
def test_no_fact_is_ever_published_twice(shown: list[Reading], story: Story) -> None:
    """Whatever was observed, forgotten and observed again: one event for one fact."""
    published = Counter(new.fact.id for new in remembered(shown, story).published)
    assert max(published.values(), default=1) == 1


@given(readings(), stories)
def test_every_fact_is_known_published_implied_or_withheld(
    shown: list[Reading], story: Story
) -> None:
    """Nothing vanishes: what is not published is withheld, or comes before what is published."""
    for told in remembered(shown, story).told:
        new = {fact for fact in told.reading.facts if fact.id.bytes not in told.known}
        published = {each.fact for each in told.settled.publications}
        withheld = set(told.settled.withheld)
        assert new >= published | withheld
        assert told.settled.duplicates == len(set(told.reading.facts) - new)
        for implied in new - published - withheld:
            assert implied.order_key < max(fact.order_key for fact in published)


@given(readings(), stories)
def test_only_what_is_undated_or_older_than_the_horizon_is_not_published(
    shown: list[Reading], story: Story
) -> None:
    """A fact dated after the horizon is published as soon as it is shown."""
    for told in remembered(shown, story).told:
        published = {each.fact for each in told.settled.publications}
        for fact in set(told.reading.facts) - published:
            assert fact.id.bytes in told.known or (
                told.since is not None
                and (fact.occurred_at is None or fact.occurred_at < told.since)
            )


@given(readings(), stories)
def test_sequences_count_what_was_published_since_the_entry_was_made(
    shown: list[Reading], story: Story
) -> None:
    """Silent facts take no number; a forgotten resource begins with 1 again."""
    expected = 0
    for new in remembered(shown, story).published:
        expected = 1 if new.sequence == 1 else expected + 1
        assert new.sequence == expected


def reading(*shown: Fact) -> Reading:
    """Return what an observation shows."""
    return Reading(shown[0].resource, shown, Amount(1000, "CAD"))


def test_a_forgotten_resource_that_changes_publishes_the_change_alone() -> None:
    """An invoice that failed long ago and is paid now: one event, though three facts are shown."""
    settled = settle(None, reading(CREATED, FAILED_LONG_AGO, PAID), FRESH, HORIZON)
    [paid] = settled.publications
    assert (paid.fact, paid.sequence, paid.previous_status) == (PAID, 1, "failed")
    assert [(fact.action, fact.silent) for fact in settled.entry.published] == [
        ("created", True),
        ("failed", True),
        ("paid", False),
    ]
    assert settled.withheld == ()
    assert settle(settled.entry, reading(CREATED, FAILED_LONG_AGO, PAID), FRESH).duplicates == 3


@pytest.mark.parametrize("shown", [(CREATED,), (CREATED, PAID_LONG_AGO), (CANCELLED, CREATED)])
def test_what_is_old_or_undated_is_withheld(shown: tuple[Fact, ...]) -> None:
    """Without an entry, old and undated facts give no event and make no entry."""
    settled = settle(None, reading(*shown), FRESH, HORIZON)
    assert settled.publications == ()
    assert settled.entry.published == ()
    assert set(settled.withheld) == set(shown)


def test_what_comes_after_all_that_is_published_is_withheld() -> None:
    """A fresh payment implies that the invoice was created, not that it is cancelled by now."""
    settled = settle(None, reading(CREATED, PAID, CANCELLED), FRESH, HORIZON)
    assert [new.fact for new in settled.publications] == [PAID]
    assert settled.withheld == (CANCELLED,)
    assert [fact.action for fact in settled.entry.published] == ["created", "paid"]


def test_an_entry_made_anew_withholds_what_may_have_been_published_before_it() -> None:
    """The replay of an old cancellation after a fresh payment publishes nothing."""
    anew = settle(None, reading(CREATED, PAID), FRESH, HORIZON).entry
    settled = settle(anew, reading(CREATED, PAID, CANCELLED), FRESH, HORIZON)
    assert (settled.publications, settled.withheld) == ((), (CANCELLED,))


def test_a_resource_born_after_the_horizon_publishes_all() -> None:
    """A transfer requested since the horizon was never forgotten: its undated end is new."""
    requested, confirmed = Fact(TRANSFER, "requested", FRESH), Fact(TRANSFER, "confirmed")
    both = settle(None, reading(requested, confirmed), FRESH, HORIZON)
    assert [new.fact for new in both.publications] == [requested, confirmed]
    first = settle(None, reading(requested), FRESH, HORIZON).entry
    [second] = settle(first, reading(confirmed), FRESH, FRESH + DAY).publications
    assert (second.fact, second.sequence) == (confirmed, 2)


def test_an_entry_of_before_the_first_horizon_goes_on_as_ever() -> None:
    """What is remembered is not touched by a horizon that came later."""
    entry = settle(None, reading(CREATED), OLD).entry
    settled = settle(entry, reading(CREATED, PAID_LONG_AGO, CANCELLED), FRESH, HORIZON)
    assert [new.sequence for new in settled.publications] == [2, 3]


def test_a_fact_dated_in_the_future_keeps_its_entry_until_then() -> None:
    """Otherwise it would seem fresh, and be published again, when it comes once more."""
    entry = settle(None, reading(CREATED, PAID), OLD).entry
    assert not is_forgettable(entry, FRESH)
    assert is_forgettable(entry, FRESH + timedelta(microseconds=1))


def test_an_entry_is_kept_while_anything_of_it_was_observed_lately() -> None:
    """A payment dated long ago and told today is remembered from today on."""
    entry = settle(None, reading(CREATED, PAID_LONG_AGO), FRESH).entry
    assert not is_forgettable(entry, HORIZON)


def test_an_entry_written_before_there_were_horizons_is_read() -> None:
    """Records without the newer fields mean what they meant."""
    entry = settle(None, reading(CREATED, PAID), FRESH).entry
    kind, published, *_ = msgspec.msgpack.decode(msgspec.msgpack.encode(entry))
    old = msgspec.msgpack.encode([kind, [fact[:5] for fact in published]])
    assert Entry.decode(old) == entry
