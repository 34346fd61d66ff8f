"""The report: what was found, as tables and plots in the documents."""

import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.bench import QUICK_ROUNDS, ROUNDS
from tests.bench.measure import Findings, Goal, Line
from tests.bench.plots import draw

_FINDINGS = "findings.json"
_TABLE = "figures.md"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of some benchmarks, by their names; ``stolen`` are the seconds the host took."""

    found: Mapping[str, Findings]
    quick: bool
    stolen: float

    def table(self) -> str:
        """Return the figures as a table in Markdown."""
        return table(line for findings in self.found.values() for line in findings.lines)


def table(lines: Iterable[Line]) -> str:
    """Return lines as a table in Markdown."""
    rows = [
        "| what | measured | goal | rounds (lowest - highest) |",
        "|---|---|---|---|",
        *(_row(line) for line in lines),
    ]
    return "\n".join(rows) + "\n"


def told(line: Line) -> str:
    """Return a line as one sentence, for a terminal."""
    return f"{line.what}: {_figure(line.measured, line.unit)} (goal {_goal(line)})"


def _row(line: Line) -> str:
    spread = f"{_figure(min(line.values), '')} - {_figure(max(line.values), '')}"
    rounds = f"{spread} ({len(line.values)})" if len(line.values) > 1 else "1"
    what = f"{line.what}. {line.note}" if line.note else line.what
    measured = _figure(line.measured, line.unit)
    shown = f"**{measured}**" if line.is_met is not False else f"{measured} (missed)"
    return f"| {what} | {shown} | {_goal(line)} | {rounds} |"


def _goal(line: Line) -> str:
    if line.goal is None:
        return "-"
    if line.goal.at_least is not None:
        return f"≥ {_figure(line.goal.at_least, line.unit)}"
    assert line.goal.at_most is not None
    return f"≤ {_figure(line.goal.at_most, line.unit)}"


def _figure(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 2 if abs(value) < 10 else 1
    number = f"{value:,.{digits}f}"
    return f"{number} {unit}".rstrip()


class Report:
    """The part of the documents that is drawn from findings, in a folder of its own.

    Findings of earlier runs stay until their benchmark is run again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def renew(self, run: Run) -> None:
        """Add a run's findings, and draw everything anew."""
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = self._folder / _FINDINGS
        all_found: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
        for name, findings in run.found.items():
            all_found[name] = {
                "lines": [asdict(line) for line in findings.lines],
                "machine": machine(run),
            }
            for curve in findings.curves:
                draw(curve, self._folder / f"{curve.name}.svg")
        kept.write_text(json.dumps(all_found, indent=1, ensure_ascii=False) + "\n")
        self._write_table(all_found)

    def _write_table(self, all_found: Mapping[str, Any]) -> None:
        parts = ["# Figures\n\nWritten by `make bench`: see [performance.md](../performance.md).\n"]
        for name, found in all_found.items():
            lines = [_line(each) for each in found["lines"]]
            parts.append(f"## {name}\n\n{table(lines)}\n{found['machine']}\n")
        (self._folder / _TABLE).write_text("\n".join(parts))


def _line(kept: dict[str, Any]) -> Line:
    goal = None if kept["goal"] is None else Goal(**kept["goal"])
    return Line(**{**kept, "goal": goal})


def machine(run: Run) -> str:
    """Return in one sentence what the figures were measured with, and how quiet it was."""
    rounds = QUICK_ROUNDS if run.quick else ROUNDS
    parts = [
        f"{rounds} rounds",
        f"{processor()}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("aiohttp", "aiokafka", "uvloop")),
        f"{run.stolen:.1f} s were stolen by the host",
    ]
    return ", ".join(parts) + "."


def processor() -> str:
    """Return what this machine's processor calls itself."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
