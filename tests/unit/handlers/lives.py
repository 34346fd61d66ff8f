"""Lives of resources for property tests: what may happen to one, and who observes which part."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import TypeAlias, TypeVar

from hypothesis import strategies as st

from handlers.fact import RANKS, Fact, Reading
from handlers.ledger import Entry, Publication, settle
from handlers.money import Amount
from handlers.resource import ResourceKey

RECURRING = frozenset({"failed", "updated"})
"""The actions that may happen again, told apart by a discriminator."""

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CENTURY = 100 * 365 * 86_400 * 10**6

moments = st.integers(-_CENTURY, _CENTURY).map(lambda n: _EPOCH + timedelta(microseconds=n))
kinds = st.sampled_from(sorted(RANKS))

_Happening: TypeAlias = tuple[str, datetime | None, str]
"""An action, when it happened, and what tells it apart if it may happen again."""

_MOST = 6
"""Facts in a life."""

# Strategies are made once, here: to make one within another's draw takes longer than to draw.
_happening: Mapping[str, st.SearchStrategy[_Happening]] = {
    kind: st.tuples(st.sampled_from(sorted(RANKS[kind])), st.none() | moments, st.text(max_size=3))
    for kind in RANKS
}


def _told_apart(happening: _Happening) -> tuple[str, str]:
    action, _, discriminator = happening
    return action, discriminator if action in RECURRING else ""


_happened = {
    kind: st.lists(each, min_size=1, max_size=_MOST, unique_by=_told_apart)
    for kind, each in _happening.items()
}
_shown = st.lists(st.integers(0, _MOST - 1), min_size=1, max_size=_MOST + 2)
_amounts = st.none() | st.just(Amount(1000, "CAD"))
_sights = st.lists(st.tuples(_shown, _amounts, moments), min_size=1, max_size=6)


@dataclass(frozen=True)
class Sight:
    """One observation: what it shows, and when it was made."""

    reading: Reading
    at: datetime


@st.composite
def lives(draw: st.DrawFn, resource: ResourceKey | None = None) -> list[Sight]:
    """Draw all observations of one resource; each shows some of what happened to it.

    A fact has one time, whoever shows it: that is what providers' data gives.
    """
    if resource is None:
        resource = ResourceKey("acme", "shop", draw(kinds), "1")
    happened = [_fact(resource, each) for each in draw(_happened[resource.kind])]
    return [
        Sight(Reading(resource, _some(happened, shown), amount), at)
        for shown, amount, at in draw(_sights)
    ]


def facts(resource: ResourceKey) -> st.SearchStrategy[Fact]:
    """Return what draws one thing that may happen to ``resource``."""
    return _happening[resource.kind].map(partial(_fact, resource))


def _fact(resource: ResourceKey, happening: _Happening) -> Fact:
    action, at, discriminator = happening
    return Fact(resource, action, at, discriminator if action in RECURRING else None)


def _some(happened: Sequence[Fact], places: Iterable[int]) -> tuple[Fact, ...]:
    return tuple([happened[place % len(happened)] for place in places])


def happened_in(life: Iterable[Sight]) -> list[Fact]:
    """Return all that the observations show, each fact once, in natural order."""
    by_id = {fact.id: fact for sight in life for fact in sight.reading.facts}
    return sorted(by_id.values(), key=lambda fact: fact.order_key)


def shuffled(items: Iterable[T], rng: Random, repeats: int) -> list[T]:
    """Return ``items`` in another order, some of them up to ``repeats`` times more."""
    all_items = list(items)
    again = [item for item in all_items for _ in range(rng.randint(0, repeats))]
    mixed = all_items + again
    rng.shuffle(mixed)
    return mixed


@dataclass
class Ledger:
    """A ledger in memory: what a router does with it, for any number of resources."""

    entries: dict[str, bytes]
    published: list[tuple[ResourceKey, Publication]]

    @classmethod
    def of(cls, sights: Iterable[Sight]) -> "Ledger":
        """Return the ledger after all ``sights``, in this order."""
        ledger = cls({}, [])
        for sight in sights:
            ledger.observe(sight)
        return ledger

    def observe(self, sight: Sight) -> tuple[Publication, ...]:
        """Settle one observation, and remember its outcome in the ledger's own bytes."""
        resource = sight.reading.resource
        raw = self.entries.get(resource.partition_key)
        settled = settle(None if raw is None else Entry.decode(raw), sight.reading, sight.at)
        self.entries[resource.partition_key] = settled.entry.encode()
        self.published += [(resource, new) for new in settled.publications]
        return settled.publications

    def events_of(self, resource: ResourceKey) -> list[Publication]:
        """Return what was published about one resource, in order."""
        return [new for about, new in self.published if about == resource]

    def statuses(self) -> Mapping[str, str | None]:
        """Return every resource's status as the ledger has it."""
        return {key: Entry.decode(raw).status for key, raw in self.entries.items()}
