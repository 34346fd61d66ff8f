"""What the ledger remembers of webhooks that did not come, for every life of a resource."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.fact import Fact, Reading
from handlers.ledger import Entry, Settlement, settle
from handlers.observation import Origin
from handlers.resource import ResourceKey

from .lives import Sight, lives, moments, shuffled

horizons = st.none() | moments
origins = st.sampled_from(Origin)


@dataclass(frozen=True)
class Told:
    """A sight, and how it came; ``horizon`` is the ledger's then."""

    sight: Sight
    origin: Origin
    horizon: datetime | None = None

    def settle(self, entry: Entry | None) -> Settlement:
        """Settle it as the router does, with webhooks for everything that can happen."""
        reading = self.sight.reading
        reconciled = self.origin is Origin.RECONCILIATION
        return settle(
            entry,
            reading,
            self.sight.at,
            self.horizon,
            announces=reading.facts if self.origin is Origin.WEBHOOK else (),
            unannounced=reading.facts if reconciled else (),
        )


@st.composite
def stories(draw: st.DrawFn) -> list[Told]:
    """Draw a life with the way in which each sight of it came."""
    return [Told(sight, draw(origins)) for sight in draw(lives())]


def unannounced(entry: Entry | None) -> set[bytes]:
    """Return the ids of the facts that no webhook has announced."""
    return {fact.id for fact in entry.published if fact.unannounced} if entry else set()


def after(story: Iterable[Told]) -> Entry | None:
    """Return the entry after a story, through the ledger's own bytes."""
    entry: Entry | None = None
    for told in story:
        entry = Entry.decode(told.settle(entry).entry.encode())
    return entry


def _ids(facts: Iterable[Fact]) -> set[bytes]:
    return {fact.id.bytes for fact in facts}


@given(stories(), st.randoms(use_true_random=False))
def test_unannounced_is_what_a_reconciliation_published_and_no_webhook_asserted(
    story: list[Told], rng: Random
) -> None:
    """In any order, however often: who told it first decides, until a webhook tells it."""
    mixed = shuffled(story, rng, repeats=1)
    first: dict[bytes, Origin] = {}
    by_webhook: set[bytes] = set()
    for told in mixed:
        for fact_id in _ids(told.sight.reading.facts):
            first.setdefault(fact_id, told.origin)
            if told.origin is Origin.WEBHOOK:
                by_webhook.add(fact_id)
    missed = {fact_id for fact_id, origin in first.items() if origin is Origin.RECONCILIATION}
    assert unannounced(after(mixed)) == missed - by_webhook


@given(stories(), horizons)
def test_announcements_change_no_event_and_nothing_else_of_an_entry(
    story: list[Told], horizon: datetime | None
) -> None:
    """The same events, duplicates and doubts as without them, whatever the ledger has forgotten."""
    entry: Entry | None = None
    plain: Entry | None = None
    for told in story:
        settled = replace(told, horizon=horizon).settle(entry)
        expected = settle(plain, told.sight.reading, told.sight.at, horizon)
        assert settled.publications == expected.publications
        assert settled.duplicates == expected.duplicates
        assert settled.withheld == expected.withheld
        entry, plain = settled.entry, expected.entry
        published = tuple(
            msgspec.structs.replace(fact, unannounced=False) for fact in entry.published
        )
        assert msgspec.structs.replace(entry, published=published) == plain


@given(stories())
def test_a_webhook_announces_once_what_it_shows(story: list[Told]) -> None:
    """Announced is what was unannounced and is so no more; only a webhook announces."""
    entry: Entry | None = None
    for told in story:
        before = unannounced(entry)
        settled = told.settle(entry)
        shown = _ids(told.sight.reading.facts)
        is_webhook = told.origin is Origin.WEBHOOK
        assert _ids(settled.announced) == (before & shown if is_webhook else set())
        assert not unannounced(settled.entry) & _ids(settled.announced)
        entry = settled.entry


INVOICE = ResourceKey("smartpay", "shop", "invoice", "aBc123")
CREATED, FAILED = Fact(INVOICE, "created"), Fact(INVOICE, "failed", discriminator="once")


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_fact_that_no_webhook_tells_is_not_unannounced() -> None:
    """Of what a reconciliation publishes, only that counts for which there is a webhook."""
    entry = settle(None, Reading(INVOICE, (CREATED, FAILED)), NOW, unannounced=[CREATED]).entry
    assert unannounced(entry) == _ids([CREATED])


def test_a_fact_entered_without_an_event_is_not_unannounced() -> None:
    """It was published long ago, if ever: nobody knows whether a webhook told it then."""
    paid = Fact(INVOICE, "paid", NOW)
    reading = Reading(INVOICE, (CREATED, paid))
    settled = settle(None, reading, NOW, NOW, unannounced=reading.facts)
    assert [fact.silent for fact in settled.entry.published] == [True, False]
    assert unannounced(settled.entry) == _ids([paid])


@pytest.mark.parametrize("known", [5, 6])
def test_a_record_of_before_announcements_counted_is_read(known: int) -> None:
    """Facts without the newer fields were announced, as far as anyone knows."""
    entry = settle(None, Reading(INVOICE, (CREATED, FAILED)), NOW).entry
    kind, published, since = msgspec.msgpack.decode(msgspec.msgpack.encode(entry))
    old = msgspec.msgpack.encode([kind, [fact[:known] for fact in published], since])
    assert Entry.decode(old) == entry
