"""The plan: the same for the same seed, with every kind of fault, and never too much at once."""

from itertools import combinations, islice

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.plan import MOST_AT_ONCE, Round, plan

SEEDS = range(20)


def rounds(seed: int, count: int = 60) -> list[Round]:
    """Return the first rounds of a plan for three of everything."""
    return list(islice(plan(seed, nodes=3, services=3, partitions=4), count))


def test_the_same_seed_gives_the_same_plan() -> None:
    """A plan can be replayed, to its last detail; another seed gives another."""
    assert rounds(7) == rounds(7)
    assert list(map(str, rounds(7))) == list(map(str, rounds(7)))
    assert rounds(7) != rounds(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_strikes_before_any_strikes_again(seed: int) -> None:
    """Up to the round that covers them all, each kind of fault is there exactly once."""
    struck = []
    for planned in rounds(seed):
        struck += [type(fault) for fault in planned.faults]
        if planned.covered:
            break
    assert sorted(struck, key=FAULTS.index) == list(FAULTS)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_two_faults_of_a_round_break_the_same(seed: int) -> None:
    """Faults that are mixed share no area, and hit different replicas."""
    for planned in rounds(seed):
        assert 1 <= len(planned.faults) <= MOST_AT_ONCE
        for one, other in combinations(planned.faults, 2):
            assert one.areas.isdisjoint(other.areas), planned
            victims = [getattr(fault, "service", None) for fault in (one, other)]
            assert None in victims or victims[0] != victims[1], planned


def test_faults_come_alone_and_mixed() -> None:
    """There are rounds of one fault, and rounds of several."""
    sizes = {len(planned.faults) for seed in SEEDS for planned in rounds(seed)}
    assert sizes == {1, 2, 3}


def test_a_round_says_all_there_is_to_know() -> None:
    """A printed round names each fault with its details, when it strikes, and the peace after."""
    [planned] = rounds(7, count=1)
    for fault, after in zip(planned.faults, planned.after, strict=True):
        assert f"after {after} s {fault!r}" in str(planned)
    assert f"{planned.pause} s of peace" in str(planned)


def test_names_tell_faults_apart() -> None:
    """No two kinds share the name under which a report counts them."""
    assert len({kind.name for kind in FAULTS}) == len(FAULTS)
