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
_BEGIN = "<!-- figures: written by make bench -->"
_END = "<!-- /figures -->"


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
    """The part of a page that is drawn from findings; they and their plots are in ``folder``.

    Findings of earlier runs stay until their benchmark is run again.
    """

    def __init__(self, page: Path, folder: Path) -> None:
        self._page = page
        self._folder = folder

    def renew(self, run: Run) -> None:
        """Add a run's findings, and write the page's tables anew, in the order of the run.

        Raises:
            ValueError: the page has no place for them.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        kept = self._folder / _FINDINGS
        found: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
        for name, findings in run.found.items():
            found[name] = {
                "lines": [asdict(line) for line in findings.lines],
                "plots": {curve.name: curve.title for curve in findings.curves},
                "measured": machine(run),
            }
            for curve in findings.curves:
                draw(curve, self._folder / f"{curve.name}.svg")
        kept.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        self._page.write_text(_filled(self._page.read_text(), found, self._folder.name))


def _filled(page: str, found: Mapping[str, Any], folder: str) -> str:
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page has no lines {_BEGIN} and {_END}")
    sections = [_section(name, each, folder) for name, each in found.items()]
    return "\n".join([before + begin, *sections, end + after])


def _section(name: str, found: Mapping[str, Any], folder: str) -> str:
    plots = [f"![{title}]({folder}/{plot}.svg)\n" for plot, title in found["plots"].items()]
    return "\n".join(
        [f"### {name}\n", table(map(_line, found["lines"])), *plots, f"{found['measured']}\n"]
    )


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
