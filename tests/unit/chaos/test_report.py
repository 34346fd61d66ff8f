"""The report tells what was found, and whether the run was clean."""

import itertools
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.checker import Findings, Sent, check
from tests.chaos.faults import FAULTS
from tests.chaos.faults.machine import DiskFull
from tests.chaos.faults.services import ServiceKilled
from tests.chaos.history import History, Struck
from tests.chaos.latency import measure
from tests.chaos.ledger import Ledger
from tests.chaos.logs import summarise
from tests.chaos.outcome import Outcome
from tests.chaos.report import render
from tests.chaos.traffic import traffic
from tests.unit.chaos.published import fact


@pytest.fixture
def outcome(tmp_path: Path) -> Outcome:
    """Return a clean outcome of one fault and two notifications, one of them sent three times."""
    history = History(lambda _: None, began=1000.0)
    history.struck.append(Struck(ServiceKilled(2.0, 1), began=1005.0, ended=1010.0))
    ticks = itertools.count(1000.0)
    with Ledger(tmp_path / "ledger", lambda: next(ticks)) as ledger:
        attempts: tuple[list[int | str], ...] = (["no answer", "connection lost", 200], [200])
        for outcomes in attempts:
            notification = next(traffic(len(outcomes)))
            number = ledger.begin(notification)
            for attempt, status in enumerate(outcomes, 1):
                ledger.answered(number, notification, attempt, status)
    return Outcome(
        seed=7,
        seconds=60.0,
        findings=Findings(events=3, resources=2),
        latency=measure({"a": 1003.0}, {"a": 1006.5}),
        ledger=ledger,
        history=history,
        logs=summarise([]),
    )


def test_a_clean_run_says_so(outcome: Outcome) -> None:
    """The promise, the traffic, the longest wait with its fault, and each fault's count."""
    text = render(outcome)
    assert outcome.clean
    assert "**clean**: seed 7, 1.0 minutes" in text
    for row in ("lost | 0", "published twice | 0", "out of order | 0", "dead letters | 0"):
        assert f"| {row} |" in text
    assert "| notifications sent | 2 |" in text
    assert "| not taken at the first try: no answer | 1 |" in text
    assert "| attempts that were not answered 200 | 2 |" in text
    assert "The longest was 3.5 s, 3 s after the start, during: service killed." in text
    assert "| service killed | 1 |" in text
    assert all(f"| {kind.name} |" in text for kind in FAULTS)


def test_a_503_is_excused_by_a_full_disk(outcome: Outcome) -> None:
    """A replica that could have written what it refused has broken the promise."""
    outcome.ledger.unavailable_at.append(1005.0)
    assert not outcome.clean
    assert "- 503 was answered 1 times although the disk could be written" in render(outcome)
    full = Struck(DiskFull(2.0, 1, network_first=True, restarted=True), 1000.0, 1010.0)
    outcome.history.struck.append(full)
    assert outcome.clean
    assert "| of these 503 | 1 |" in render(outcome)
    assert "| 503 while no disk was full | 0 |" in render(outcome)


def test_a_503_is_excused_by_a_disk_that_hung(outcome: Outcome) -> None:
    """Of these there may be as many as the replicas say that they refused for it, and no more."""
    outcome.ledger.unavailable_at.append(1005.0)
    outcome.logs.disk_hung = 1
    assert outcome.clean
    assert "| 503 since a disk hung | 1 |" in render(outcome)
    outcome.ledger.unavailable_at.append(1006.0)
    assert not outcome.clean


def test_the_code_that_was_run_is_named(outcome: Outcome) -> None:
    """A report is about one revision; another one may keep the promise or not."""
    assert re.search(r"Revision [0-9a-f]{7,}(-dirty)?;", render(outcome))


def test_findings_make_it_not_clean(outcome: Outcome) -> None:
    """A lost fact is told, and the run is not clean."""
    outcome.findings.lost.extend(check([], Sent({fact("i1", "created"): 1000})).lost)
    assert not outcome.clean
    assert "**NOT CLEAN**" in render(outcome)
    assert "| lost | 1 |" in render(outcome)


def test_problems_make_it_not_clean(outcome: Outcome) -> None:
    """So do a replica that did not end, a fault that took no hold, and a dead letter."""
    assert outcome.clean
    outcome.problems.append("a spool is not drained: not within 60 s")
    assert not outcome.clean
    assert "- a spool is not drained" in render(outcome)
    outcome.problems.clear()
    outcome.history.struck[0].failure = "ServiceKilled: it lives"
    assert not outcome.clean
    assert "- ServiceKilled: it lives" in render(outcome)
    assert "| service killed | 0 |" in render(outcome)
    outcome.history.struck[0].failure = ""
    assert outcome.clean
    outcome.logs.alarms["spool-damaged"] += 1
    assert not outcome.clean
    outcome.logs.alarms.clear()
    outcome.dead_letters.update(Counter({"no-id": 1}))
    assert not outcome.clean
    assert "| dead letters | 1 |" in render(outcome)
