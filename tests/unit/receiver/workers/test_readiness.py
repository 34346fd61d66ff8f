"""One answer about readiness for several workers."""

from typing import Any

import orjson
import pytest

from receiver.observability.report import Part, Report
from receiver.observability.report import State as How
from receiver.workers.asking import Answer
from receiver.workers.readiness import readiness
from receiver.workers.worker import State
from tests.unit.receiver.workers.fakes import as_it_is

WELL = Report(True, {"receive": Part(How.OK), "kafka": Part(How.OK)})
SPOOLING = Report(True, {"receive": Part(How.DEGRADED, "it spools"), "kafka": Part(How.OK)})
UNREADY = Report(False, {"receive": Part(How.FAILED, "nothing is durable"), "kafka": Part(How.OK)})


def told(report: Report) -> Answer:
    """Return a worker's answer."""
    return Answer(200 if report.ready else 503, orjson.dumps(report.as_json()))


def judged(*reports: Report | None, draining: bool = False) -> tuple[bool, Any]:
    """Return the judgement of workers that say this, or nothing."""
    answers = [
        (as_it_is(number), None if report is None else told(report))
        for number, report in enumerate(reports)
    ]
    ready, report = readiness(answers, draining=draining)
    assert report["ready"] is ready
    return ready, report


@pytest.mark.parametrize(
    ("reports", "ready", "state"),
    [
        ((WELL, WELL), True, How.OK),
        ((WELL, SPOOLING), True, How.DEGRADED),
        ((WELL, UNREADY), True, How.DEGRADED),
        ((None, WELL), True, How.DEGRADED),
        ((UNREADY, UNREADY), False, How.FAILED),
        ((UNREADY, None), False, How.FAILED),
        ((None, None), False, How.FAILED),
    ],
)
def test_it_is_ready_while_one_worker_is(
    reports: tuple[Report | None, ...], ready: bool, state: How
) -> None:
    """To take the machine away for one of its workers would lose what the others can do."""
    is_ready, report = judged(*reports)
    assert (is_ready, report["state"]) == (ready, state)


def test_each_worker_is_a_part_and_tells_its_own() -> None:
    """Which worker is not well is said first, and why in what that worker says."""
    _, report = judged(WELL, UNREADY, None)
    assert report["parts"] == {
        "worker-0": {"state": "ok", "why": ""},
        "worker-1": {"state": "failed", "why": "not well: receive"},
        "worker-2": {"state": "failed", "why": "it does not answer"},
    }
    assert report["workers"] == {"0": WELL.as_json(), "1": UNREADY.as_json()}


def test_a_worker_that_is_down_says_why() -> None:
    """What it ended with is known without asking it."""
    down = as_it_is(0, State.WAITING, "it ended with -9")
    _, report = readiness([(down, None)], draining=False)
    assert report["parts"] == {
        "worker-0": {
            "state": "failed",
            "why": "it waits to be started again: it ended with -9",
        }
    }


def test_whoever_drains_is_not_ready() -> None:
    """Load balancers are told before the port is closed, while every worker still answers 200."""
    ready, report = judged(WELL, WELL, draining=True)
    assert not ready
    assert report["parts"]["process"]["state"] == "failed"


def test_an_answer_that_is_none_counts_as_none() -> None:
    """An error is not a report."""
    ready, report = readiness([(as_it_is(0), Answer(500, b"{}"))], draining=False)
    assert not ready
    assert report["workers"] == {}
