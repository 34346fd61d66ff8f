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

    It has the form of a single process's. Alarms, shards, and an account's ``care`` and ``polling``
    bear the number of the worker that has them as ``worker``; ``spool`` adds up those of all.
    """
    return {
        "accounts": _accounts(told),
        "shards": sorted(
            _marked(told, "shards"), key=lambda shard: (shard["role"], shard["partition"])
        ),
        "inbox": {
            "available": bool(told) and all(s["inbox"]["available"] for s in told.values()),
            "problem": "; ".join(_problems(told)),
        },
        "spool": _spool([status["spool"] for status in told.values() if status["spool"]]),
        "alarms": sorted([*alarms, *_marked(told, "alarms")], key=lambda alarm: alarm["since"]),
        "workers": [_worker(worker, told.get(worker.number)) for worker in workers],
    }


def _accounts(told: Mapping[int, Status]) -> list[dict[str, Any]]:
    """Return each account once: all workers know it, and only the one that polls it cares."""
    found: dict[str, dict[str, Any]] = {}
    for number, status in told.items():
        for account in status["accounts"]:
            known = found.setdefault(account["name"], dict(account))
            of_owner = {key: account[key] for key in ("care", "polling") if key in account}
            if of_owner:
                known |= {**of_owner, "worker": number}
    return [found[name] for name in sorted(found)]


def _spool(spools: Sequence[Mapping[str, Any]]) -> dict[str, object] | None:
    """Return what waits in the spools of all, None if none of them receives."""
    if not spools:
        return None
    return {
        "available": all(spool["available"] for spool in spools),
        "problem": "; ".join(dict.fromkeys(s["problem"] for s in spools if s["problem"])),
        **{key: sum(s[key] for s in spools) for key in ("observations", "bytes", "max_bytes")},
    }


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
