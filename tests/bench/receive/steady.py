"""Two contenders under a steady load: how long their 200s take at 70 % of the most they bear."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from tests.bench.bench import Bench
from tests.bench.measure import Goal, Line, interleaved, ratios
from tests.bench.receive.load import Outcome, Shape
from tests.bench.receive.rounds import Rounds
from tests.bench.receive.turns import Turns

SHARE: Final = 0.7
"""Of the highest load."""

_HIGHEST_OF: Final = 3
"""Runs from which the highest load is known."""


def p99(outcome: Outcome) -> float:
    """Return the latency that 99 of 100 requests did not exceed, in milliseconds."""
    return outcome.latency(0.99) * 1e3


async def highest(running: Rounds, name: str, seconds: float) -> float:
    """Return the requests a second that a contender answers when they come as fast as it can."""
    shape = Shape(seconds)
    runs = [await running.round(name, shape) for _ in range(_HIGHEST_OF)]
    return median(run.a_second for run in runs)


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests a second: 70 % of what each of two contenders bears, the other being ``against``."""

    name: str
    ours: float
    against: str
    theirs: float

    @classmethod
    def of(cls, name: str, against: str, most: Mapping[str, float]) -> "Rates":
        """Return the rates for the highest loads ``most``."""
        return cls(name, most[name] * SHARE, against, most[against] * SHARE)

    @property
    def lower(self) -> float:
        """Return the rate that both can bear."""
        return min(self.ours, self.theirs)

    @property
    def runs(self) -> list[tuple[str, float]]:
        """Return what is to be measured: whoever bears less has both rates in one."""
        own = [(self.name, self.ours), (self.against, self.theirs)]
        return list(dict.fromkeys([*own, (self.name, self.lower), (self.against, self.lower)]))


async def steady(
    bench: Bench, running: Rounds, rates: Rates, seconds: float, goal: Goal | None = None
) -> list[Line]:
    """Measure the 99th percentile of both, each at its own rate and both at the lower.

    ``goal`` is what the one divided by the other should be.
    """
    turns = {run: Turns(running, run[0], Shape(seconds, rate=run[1]), p99) for run in rates.runs}
    given = await interleaved(
        bench, {f"{name} at {rate:,.0f}/s": turns[name, rate].next for name, rate in turns}
    )
    found = dict(zip(turns, given.values(), strict=True))
    name, against = rates.name, rates.against
    return [
        Line(
            f"p99 of the 200 at 70 % of the highest load ÷ {against} at 70 % of its own",
            ratios(found[name, rates.ours], found[against, rates.theirs]),
            goal,
            note=f"{rates.ours:,.0f}/s and {rates.theirs:,.0f}/s",
        ),
        Line(
            f"p99 of the 200 ÷ {against}, both at 70 % of the lower",
            ratios(found[name, rates.lower], found[against, rates.lower]),
            goal,
            note=f"{rates.lower:,.0f}/s",
        ),
        *(Line(f"{what}, p99", values, unit="ms") for what, values in given.items()),
    ]
