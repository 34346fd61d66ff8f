"""Facts: their ids, and their natural order."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from handlers.fact import CREATIONS, RANKS, Fact, Uninterpretable
from handlers.letters import Reason
from handlers.resource import ResourceKey

from .lives import moments
from .test_resource import IDS, RESOURCES

INVOICE = ResourceKey("smartpay", "shop", "invoice", "aBc123")


@st.composite
def any_facts(draw: st.DrawFn) -> Fact:
    """Draw a fact of any resource, with any discriminator."""
    resource = draw(RESOURCES)
    action = draw(st.sampled_from(sorted(RANKS[resource.kind])))
    return Fact(resource, action, draw(st.none() | moments), draw(st.none() | IDS))


@given(any_facts(), any_facts())
def test_different_facts_have_different_ids(one: Fact, other: Fact) -> None:
    """The id is injective in all that makes a fact; its time is no part of it."""
    said = [(fact.resource, fact.action, fact.discriminator) for fact in (one, other)]
    assert (one.id == other.id) == (said[0] == said[1])


@given(any_facts(), moments)
def test_the_time_is_no_part_of_the_id(fact: Fact, moment: datetime) -> None:
    """A fact told with another time, or without one, is the same fact."""
    told_again = Fact(fact.resource, fact.action, moment, fact.discriminator)
    assert told_again.id == fact.id
    assert fact.id.version == 5


def test_an_empty_discriminator_is_not_none() -> None:
    """A discriminator that is empty text differs from none at all."""
    assert Fact(INVOICE, "failed", discriminator="").id != Fact(INVOICE, "failed").id


@given(st.lists(any_facts(), max_size=5))
def test_the_natural_order_is_total(facts: list[Fact]) -> None:
    """Facts order by rank, then time (none first), then id: two different ones are never equal."""
    keys = {fact.order_key for fact in facts}
    told = {(fact.rank, fact.occurred_at, fact.id) for fact in facts}
    assert len(keys) == len(told)
    for one in facts:
        for other in facts:
            if one.rank < other.rank:
                assert one.order_key < other.order_key


def test_within_a_rank_the_providers_time_decides() -> None:
    """Of two failures the earlier comes first, and one without a time before both."""
    early = Fact(INVOICE, "failed", datetime(2025, 1, 1, tzinfo=UTC), "early")
    late = Fact(INVOICE, "failed", datetime(2025, 1, 2, tzinfo=UTC), "late")
    undated = Fact(INVOICE, "paid")
    assert sorted([late, undated, early], key=lambda fact: fact.order_key) == [undated, early, late]


def test_every_kind_begins_with_its_creation() -> None:
    """Where a kind has a creation it has one, and nothing comes before it."""
    for kind, ranks in RANKS.items():
        creations = CREATIONS & ranks.keys()
        assert len(creations) == (0 if kind in {"charge", "refund"} else 1)
        assert all(ranks[creation] == min(ranks.values()) for creation in creations)
        assert min(ranks.values()) == 0


def test_a_refusal_tells_its_reason_and_detail() -> None:
    """What cannot be interpreted says why, for machines and for people."""
    refused = Uninterpretable(Reason.NO_ID, "the resource has no usable id")
    assert (refused.reason, refused.detail) == ("no-id", "the resource has no usable id")
    assert str(refused) == "no-id: the resource has no usable id"
    assert isinstance(Fact(INVOICE, "paid").id, UUID)
