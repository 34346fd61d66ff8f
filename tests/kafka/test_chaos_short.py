"""The chaos suite's short run: every fault at least once, and the promise kept."""

from pathlib import Path

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.report import render
from tests.chaos.run import Options, run

SEED = 7
OBSERVATIONS = 20_000
LIMIT = 1500
"""Seconds; it takes three to four minutes on two quiet cores."""


@pytest.mark.timeout(LIMIT)
async def test_whatever_fails_every_acknowledged_fact_is_published_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under every kind of fault nothing is lost, repeated, invented, changed or out of order."""
    told: list[str] = []
    outcome = await run(
        Options(minutes=0, seed=SEED, observations=OBSERVATIONS), tmp_path, told.append
    )
    logs = f"the logs and the ledger are in {tmp_path}"
    story = "\n".join([*told, render(outcome), str(outcome.findings), logs])
    with capsys.disabled():
        print(f"\n{render(outcome)}")  # noqa: T201 - how it went, in CI's log too
    assert outcome.clean, story
    assert outcome.ledger.acknowledged >= OBSERVATIONS, story
    assert outcome.findings.events == len(outcome.ledger.acknowledged_at), story
    counts = outcome.history.counts()
    assert all(counts[kind.name] for kind in FAULTS), story
    assert outcome.logs.counts["processes started"] > 3 + counts["service killed"], story
