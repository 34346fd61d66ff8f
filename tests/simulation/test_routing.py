"""Routers under random faults: nothing lost, nothing twice, and at work again in bounded time.

``PAYEVENTS_SIMULATION_SEEDS=5000`` looks further; a run of its own is
``python -m tests.simulation --seeds 0-5000``.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.routing import Plan, simulate

SEEDS = int(os.environ.get("PAYEVENTS_SIMULATION_SEEDS", "100"))
CHUNK = 20
ROOT = Path(__file__).parents[2]
TELL = "from tests.simulation.routing import *; print(simulate(Plan(3)).trace.digest())"


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_any_schedule_publishes_exactly_once(first: int) -> None:
    """Crashes, freezes, fences, time-outs and rebalances at random points change nothing."""
    for seed in range(first, min(first + CHUNK, SEEDS)):
        simulate(Plan(seed))


def test_the_same_seed_gives_the_same_run() -> None:
    """Two runs of a seed have one trace; another seed has another."""
    first, again, other = (simulate(Plan(seed)).trace for seed in (3, 3, 4))
    assert first.lines == again.lines
    assert first.digest() != other.digest()


def test_a_seed_gives_the_same_run_in_any_process() -> None:
    """A run hangs on no set's order, which is another in each process: it can be made again."""
    told = {
        subprocess.check_output(
            [sys.executable, "-c", TELL], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        for seed in ("0", "2")
    }
    assert len(told) == 1


def test_a_failing_run_tells_its_seed_and_what_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever meets a failure can make it again, and read how it came about."""
    monkeypatch.setattr("tests.simulation.routing.MOST_STARTS", -1)
    with pytest.raises(AssertionError) as failure:
        simulate(Plan(seed=11, seconds=10.0, invoices=3))
    [note] = failure.value.__notes__
    assert "seed 11" in note
    assert "commit" in note
