"""Whether the workers together can do their work: one answer to whoever asks for readiness."""

from collections.abc import Mapping, Sequence
from typing import Any

from receiver.observability.report import Part, Report, State
from receiver.workers.asking import Answer
from receiver.workers.worker import State as Doing
from receiver.workers.worker import Worker

_NOT_SERVING: Mapping[Doing, str] = {
    Doing.STARTING: "it is starting",
    Doing.WAITING: "it waits to be started again",
    Doing.ENDING: "it is ending",
}


def readiness(
    answers: Sequence[tuple[Worker, Answer | None]], *, draining: bool
) -> tuple[bool, dict[str, object]]:
    """Return whether work should be sent here, and the report, from each worker's ``/readyz``.

    It should while one worker is ready. Where another is not, a part of the requests has to be sent
    again; without this machine all of them would, if it is the only one. The report has a part for
    each worker, and under ``workers`` what each of them says itself.
    """
    reports = {worker.number: _report(answer) for worker, answer in answers}
    parts = {
        f"worker-{worker.number}": _part(worker, reports[worker.number]) for worker, _ in answers
    }
    ready = any(told is not None and told["ready"] for told in reports.values())
    if draining:
        parts["process"] = Part(State.FAILED, "it is ending: send nothing more here")
        ready = False
    told = {str(number): report for number, report in reports.items() if report is not None}
    return ready, {**Report(ready, parts).as_json(), "workers": told}


def _report(answer: Answer | None) -> dict[str, Any] | None:
    # 503 is an answer too: that of a worker that is not ready.
    return None if answer is None or answer.status not in {200, 503} else answer.json()


def _part(worker: Worker, told: Mapping[str, Any] | None) -> Part:
    if told is None:
        why = _NOT_SERVING.get(worker.state, "it does not answer")
        return Part(State.FAILED, f"{why}: {worker.why}" if worker.why else why)
    amiss = [name for name, part in told["parts"].items() if part["state"] != State.OK]
    return Part(State(told["state"]), f"not well: {', '.join(amiss)}" if amiss else "")
