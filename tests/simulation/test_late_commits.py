"""Late commits: an asking for a commit that got no answer arrives in a later transaction."""

from collections.abc import Iterable
from random import Random

import pytest

from tests.simulation.faults import Fate, Faults, Kind, Point
from tests.simulation.routing import Plan, simulate
from tests.simulation.sabotage import trust_a_commit_asked_for_twice

SECONDS = 10.0


class ResetCommits(Faults):
    """Resets the connection under a third of all commits, which arrive a moment later."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)

    def fate(self, point: Point) -> Fate:
        """Return what befalls the request."""
        if point.operation == "commit" and point.at < SECONDS and self._rng.random() < 1 / 3:
            return Fate(Kind.RESET, self._rng.uniform(0.02, 0.1))
        return Fate()


def plan(seed: int) -> Plan:
    """Return a run with one transaction right after another."""
    faults = ResetCommits(seed)
    return Plan(seed, faults=faults, nemesis=False, invoices=40, seconds=SECONDS, calm=2.0)


def simulate_all(seeds: Iterable[int]) -> None:
    """Make these runs, up to the first that fails."""
    for seed in seeds:
        simulate(plan(seed))


@pytest.mark.parametrize("seed", range(8))
def test_a_late_commit_ends_no_later_transaction(seed: int) -> None:
    """Where a commit is asked for twice, and both askings arrive, nothing is lost or repeated."""
    simulate(plan(seed))


def test_that_it_would_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the session used on after such a commit, a later one is torn apart."""
    trust_a_commit_asked_for_twice(monkeypatch)
    with pytest.raises(AssertionError):
        simulate_all(range(20))
