"""The ledger's rules, for every life of a resource and every way to learn of it."""

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from handlers.fact import CREATIONS, RANKS, Fact
from handlers.ledger import Entry, settle
from handlers.resource import ResourceKey

from .lives import Ledger, Sight, happened_in, kinds, lives, shuffled


@given(lives(), st.randoms(use_true_random=False))
def test_order_and_duplication_change_nothing_that_counts(life: list[Sight], rng: Random) -> None:
    """In any order, however often: the same ids, as many events, the same final status."""
    told, retold = Ledger.of(life), Ledger.of(shuffled(life, rng, repeats=2))
    ids = {new.fact.id for _, new in told.published}
    assert {new.fact.id for _, new in retold.published} == ids
    assert len(told.published) == len(retold.published) == len(ids)
    assert told.statuses() == retold.statuses()


@given(kinds, st.data(), st.randoms(use_true_random=False))
def test_interleaved_resources_do_not_touch_each_other(
    kind: str, data: st.DataObject, rng: Random
) -> None:
    """Live and test data and other ids, told in any interleaving: each gets its own events."""
    resources = [
        ResourceKey("acme", "shop", kind, "1"),
        ResourceKey("acme", "shop", kind, "1", test=True),
        ResourceKey("acme", "shop", kind, "2"),
    ]
    life_of = {resource: data.draw(lives(resource)) for resource in resources}
    mixed = Ledger.of(shuffled((s for life in life_of.values() for s in life), rng, repeats=1))
    for resource, life in life_of.items():
        events, alone = mixed.events_of(resource), Ledger.of(life)
        assert [new.sequence for new in events] == list(range(1, len(events) + 1))
        assert {new.fact.id for new in events} == {new.fact.id for _, new in alone.published}
        key = resource.partition_key
        assert mixed.statuses()[key] == alone.statuses()[key]


@given(lives())
def test_every_fact_is_published_once_and_no_other(life: list[Sight]) -> None:
    """What was ever shown is published, each fact once."""
    published = sorted(new.fact.id for _, new in Ledger.of(life).published)
    assert published == sorted(fact.id for fact in happened_in(life))


@given(lives())
def test_sequences_count_from_one_without_gaps(life: list[Sight]) -> None:
    """The nth event of a resource has the sequence n."""
    events = [new for _, new in Ledger.of(life).published]
    assert [new.sequence for new in events] == list(range(1, len(events) + 1))


@given(lives())
def test_the_last_status_is_that_of_the_last_fact_in_natural_order(life: list[Sight]) -> None:
    """The final status is the action of the fact that comes last, whichever came last to us."""
    ledger = Ledger.of(life)
    last = happened_in(life)[-1].action
    assert ledger.published[-1][1].status == last
    assert set(ledger.statuses().values()) == {last}


@given(lives())
def test_the_status_never_goes_back(life: list[Sight]) -> None:
    """The status keeps its rank or gains from event to event, and each tells the one before."""
    events = [new for _, new in Ledger.of(life).published]
    ranks = RANKS[life[0].reading.resource.kind]
    assert events[0].previous_status is None
    for before, after in pairwise(events):
        assert after.previous_status == before.status
        assert ranks[after.status] >= ranks[before.status]


@given(lives())
def test_late_means_that_a_later_fact_was_already_published(life: list[Sight]) -> None:
    """An event is late if, and only if, something after it in natural order came before it."""
    before: list[Fact] = []
    for _, new in Ledger.of(life).published:
        assert new.late == any(other.order_key > new.fact.order_key for other in before)
        assert new.late or new.status == new.fact.action
        before.append(new.fact)


@given(lives())
def test_only_a_creation_is_inferred_and_only_from_a_later_fact(life: list[Sight]) -> None:
    """Inferred is a creation first shown together with what came after it, nothing else."""
    ledger = Ledger.of([])
    for sight in life:
        highest = max(fact.rank for fact in sight.reading.facts)
        for new in ledger.observe(sight):
            is_creation = new.fact.action in CREATIONS
            assert new.inferred == (is_creation and highest > new.fact.rank)


@given(lives())
def test_one_observation_publishes_in_natural_order(life: list[Sight]) -> None:
    """What one observation adds comes in natural order."""
    ledger = Ledger.of([])
    for sight in life:
        keys = [new.fact.order_key for new in ledger.observe(sight)]
        assert keys == sorted(keys)


@given(lives())
def test_the_time_is_the_providers_where_it_says_one(life: list[Sight]) -> None:
    """An event's time is when it occurred, else when what implied it did, else when it was seen."""
    ledger = Ledger.of([])
    for sight in life:
        for new in ledger.observe(sight):
            if new.fact.occurred_at is not None:
                assert new.time == new.fact.occurred_at
            elif not new.inferred:
                assert new.time == sight.at
            else:
                shown = {fact.occurred_at or sight.at for fact in sight.reading.facts}
                assert new.time in shown


@given(lives())
def test_what_is_known_is_counted_as_duplicate(life: list[Sight]) -> None:
    """The same observation again publishes nothing, and leaves the entry as it was."""
    entry: Entry | None = None
    for sight in life:
        first = settle(entry, sight.reading, sight.at)
        again = settle(first.entry, sight.reading, sight.at)
        shown = len({fact.id for fact in sight.reading.facts})
        assert len(first.publications) + first.duplicates == shown
        assert (again.publications, again.duplicates) == ((), shown)
        assert again.entry == first.entry
        entry = first.entry


@given(lives())
def test_an_entry_survives_the_ledger_topic(life: list[Sight]) -> None:
    """An entry decoded is the entry that was encoded, and orders facts as they order themselves."""
    entry: Entry | None = None
    for sight in life:
        entry = settle(entry, sight.reading, sight.at).entry
    assert entry is not None
    assert Entry.decode(entry.encode()) == entry
    assert sorted(entry.order_keys()) == [fact.order_key for fact in happened_in(life)]
