"""One status out of those of all workers: what each thing is said of, and which worker says it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from receiver.workers.worker import Worker

Status = Mapping[str, Any]
"""What a worker shows at ``/v1/status``."""


def combined(
    workers: Sequence[Worker], told: Mapping[int, Status], alarms: Iterable[Mapping[str, Any]]
) -> dict[str, object]:
    """Return the status of all; ``alarms`` are the supervisor's own.

    It has the form of a single process's. Alarms, shards, and the ``care`` of an account bear the
    number of the worker that has them as ``worker``.
    """
    return {
        "accounts": _accounts(told),
        "shards": sorted(
            _marked(told, "shards"), key=lambda shard: (shard["role"], shard["partition"])
        ),
        "inbox": {
            "available": all(status["inbox"]["available"] for status in told.values()),
            "problem": "; ".join(_problems(told)),
        },
        "alarms": sorted([*alarms, *_marked(told, "alarms")], key=lambda alarm: alarm["since"]),
        "workers": [_worker(worker, told.get(worker.number)) for worker in workers],
    }


def _accounts(told: Mapping[int, Status]) -> list[dict[str, Any]]:
    """Return each account once: all workers know it, and only the one that polls it cares."""
    found: dict[str, dict[str, Any]] = {}
    for number, status in told.items():
        for account in status["accounts"]:
            known = found.setdefault(account["name"], dict(account))
            if "care" in account:
                known |= {"care": account["care"], "worker": number}
    return [found[name] for name in sorted(found)]


def _marked(told: Mapping[int, Status], key: str) -> list[dict[str, Any]]:
    return [{**one, "worker": number} for number, status in told.items() for one in status[key]]


def _problems(told: Mapping[int, Status]) -> Iterable[str]:
    for number, status in told.items():
        if status["inbox"]["problem"]:
            yield f"worker {number}: {status['inbox']['problem']}"


def _worker(worker: Worker, told: Status | None) -> dict[str, object]:
    return {
        "worker": worker.number,
        "state": worker.state,
        "why": worker.why,
        "pid": worker.pid,
        "restarts": worker.restarts,
        "started_at": None if told is None else told["started_at"],
    }
