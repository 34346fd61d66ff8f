"""What the replicas' logs tell of a run."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

COUNTED = {
    "serving": "processes started",
    "partitions assigned": "assignments",
    "the shard runs": "shards opened",
    "another owner took this partition over": "owners fenced",
    "the shard starts again": "shards started again",
    "membership starts again": "memberships started again",
    "Kafka does not take records": "circuit breakers tripped",
    "a spool was found": "spools of dead processes found",
}
"""Lines that count something, by their message."""

_PARTICULAR = re.compile(r"(?<=\s)/[^\s\"]+/|0x[0-9a-f]+|\d+")
"""What differs from one line to the next of its kind: folders, addresses, numbers."""

_NOT_DURABLE = "a webhook is not durable"
_HUNG = "the disk has not written anything for"
"""How a replica logs whom it answers 503, and that the disk took too long to say."""

_LONGEST = 160
_BAD = {"error", "critical"}


@dataclass(slots=True)
class LogSummary:
    """Counts over all logs.

    ``counts`` is by what :data:`COUNTED` calls it. ``alarms`` counts the alarms by code. ``errors``
    are other lines of level error, by their message, and ``tracebacks`` lines with one, by its last
    line; ``strays`` counts lines that are no log lines at all. ``disk_hung`` is how many webhooks
    were refused because the spool's disk did not come to an end with a commit.
    """

    counts: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    tracebacks: Counter[str] = field(default_factory=Counter)
    strays: Counter[str] = field(default_factory=Counter)
    disk_hung: int = 0


def summarise(lines: Iterable[str]) -> LogSummary:
    """Count what is in ``lines``."""
    summary = LogSummary()
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            summary.strays[_general(line.strip())] += 1
            continue
        _count(entry, summary)
    return summary


def _general(text: str) -> str:
    """Return ``text`` without the addresses, ports and ids that make like things look different."""
    return _PARTICULAR.sub("…", text.replace("\n", " "))[:_LONGEST]


def _count(entry: dict[str, str], summary: LogSummary) -> None:
    message = entry.get("message", "")
    if message in COUNTED:
        summary.counts[COUNTED[message]] += 1
    if message == _NOT_DURABLE and _HUNG in entry.get("why", ""):
        summary.disk_hung += 1
    if message == "alarm":
        summary.alarms[entry.get("code", "")] += 1
    elif entry.get("level") in _BAD:
        summary.errors[_general(f"{entry.get('logger', '')}: {message}")] += 1
    if entry.get("exception"):
        last = entry["exception"].strip().splitlines()[-1]
        summary.tracebacks[_general(f"{message}: {last}")] += 1
