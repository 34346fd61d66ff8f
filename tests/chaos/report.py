"""The report of a run, in Markdown, that can also be read as it is."""

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from tests.chaos.faults import FAULTS
from tests.chaos.outcome import Outcome
from tests.chaos.stage import NODES, SERVICES
from tests.kafka.download import kafka_libs

LIBRARIES = ("payevents", "aiokafka", "aiohttp", "confluent-kafka")


def render(outcome: Outcome) -> str:
    """Return the report."""
    parts = [
        "# Chaos report",
        _summary(outcome),
        "## The promise",
        _table("", {"events": outcome.findings.events, **_findings(outcome)}),
        "## Traffic",
        _table("", _traffic(outcome)),
        "## From 200 to readable",
        _latency(outcome),
        "## Faults",
        _table("fault", {kind.name: outcome.history.counts()[kind.name] for kind in FAULTS}),
        "## What the logs tell",
        _table("", dict(outcome.logs.counts)),
        _list("Alarms", outcome.logs.alarms),
        _list("Other lines of level error", outcome.logs.errors),
        _list("Tracebacks", outcome.logs.tracebacks),
        _list("Lines that are no log lines", outcome.logs.strays),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(outcome: Outcome) -> str:
    verdict = "clean" if outcome.clean else "NOT CLEAN"
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    what = (
        f"**{verdict}**: seed {outcome.seed}, {outcome.seconds / 60:.1f} minutes, "
        f"{SERVICES} replicas on {NODES} brokers, replication factor {NODES}, "
        f"min.insync.replicas {NODES - 1}."
    )
    where = (
        f"Revision {_revision()}; {versions}, Apache {kafka_libs().parent.name}, "
        f"Python {platform.python_version()}; "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores for everything."
    )
    wrong = "\n".join(f"- {line}" for line in outcome.all_problems())
    return "\n\n".join(part for part in (what, where, wrong) if part)


def _revision() -> str:
    """Return which code was run, by the repository that this file is in."""
    git = ("git", "-C", Path(__file__).parent, "describe", "--always", "--dirty", "--exclude=*")
    try:
        said = subprocess.run(git, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown: it is in no repository"
    return said.stdout.strip()


def _findings(outcome: Outcome) -> dict[str, object]:
    words = {"duplicated": "published twice", "disorder": "out of order"}
    found = {
        words.get(kind, kind.replace("_", " ")): len(lines)
        for kind, lines in outcome.findings.by_kind().items()
    }
    return {**found, "dead letters": outcome.dead_letters.total()}


def _traffic(outcome: Outcome) -> dict[str, object]:
    ledger = outcome.ledger
    refused = {
        f"not taken at the first try: {why}": count
        for why, count in sorted(ledger.refused_first.items())
    }
    return {
        "notifications sent": ledger.notifications,
        "acknowledged (200)": ledger.acknowledged,
        "facts in them": len(ledger.acknowledged_at),
        "resources": outcome.findings.resources,
        **refused,
        "attempts that were not answered 200": ledger.refused,
        "of these 503": len(outcome.ledger.unavailable_at),
        "503 while no disk was full": outcome.unavailable_without_cause,
        "503 since a disk hung": outcome.logs.disk_hung,
    }


def _latency(outcome: Outcome) -> str:
    latency, history = outcome.latency, outcome.history
    longest = latency.longest
    if longest is None:
        return "Nothing was read."
    rows = {f"p{share * 100:g}": latency.quantile(share) for share in (0.5, 0.9, 0.99, 0.999)}
    table = _table("", {name: f"{value:.2f} s" for name, value in rows.items()})
    at = longest.acknowledged_at
    during = ", ".join(history.during(at, at + longest.seconds)) or "no fault"
    return (
        f"{table}\n\nThe longest was {longest.seconds:.1f} s, {at - history.began:.0f} s after the "
        f"start, during: {during}."
    )


def _table(head: str, rows: Mapping[str, object]) -> str:
    return "\n".join(
        [f"| {head} | |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows.items())]
    )


def _list(title: str, counts: "Counter[str]") -> str:
    if not counts:
        return f"{title}: none."
    return "\n".join([f"{title}:", "", *_items(counts.most_common())])


def _items(counted: Iterable[tuple[str, int]]) -> Iterable[str]:
    return (f"- {count} times `{what}`" for what, count in counted)
