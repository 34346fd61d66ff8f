"""Figures that can be trusted: measured side by side, several rounds, with their spread."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypeAlias, TypeVar

from tests.bench.bench import Bench

Contender: TypeAlias = Callable[[], Awaitable[float]]
"""Does its work once, and returns how well: in the unit of the benchmark."""

_Name = TypeVar("_Name", str, int)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be: at least this, or at most that."""

    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, value: float) -> bool:
        """Tell whether ``value`` is good enough."""
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report: what was measured in each round, and what it should be.

    ``unit`` is empty for a ratio; ``note`` is one short sentence where the figure needs it.
    """

    what: str
    values: Sequence[float]
    goal: Goal | None = None
    unit: str = ""
    note: str = ""

    @property
    def measured(self) -> float:
        """Return the median of the rounds."""
        return median(self.values)

    @property
    def is_met(self) -> bool | None:
        """Tell whether the goal is met; None where there is none."""
        return None if self.goal is None else self.goal.is_met(self.measured)


@dataclass(frozen=True, slots=True)
class Curve:
    """A plot of the report: points by series."""

    name: str
    title: str
    x: str
    y: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    log_x: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What a benchmark found."""

    lines: Sequence[Line]
    curves: Sequence[Curve] = field(default=())


async def interleaved(
    bench: Bench, contenders: Mapping[_Name, Contender], *, times: int = 1
) -> dict[_Name, list[float]]:
    """Let every contender do its work once a round; return what each gave, round by round.

    There are so many ``times`` the usual rounds.
    """
    given: dict[_Name, list[float]] = {name: [] for name in contenders}
    rounds = bench.rounds * times
    for number, order in enumerate(alternating(contenders, rounds)):
        for name in order:
            given[name].append(await contenders[name]())
        told = ", ".join(f"{name} {values[-1]:,.4g}" for name, values in given.items())
        bench.say(f"round {number + 1} of {rounds}: {told}")
    return given


def alternating(names: Iterable[_Name], rounds: int) -> Iterator[list[_Name]]:
    """Yield the order of each round: whoever comes second is not always the same."""
    forth = list(names)
    for number in range(rounds):
        yield forth if number % 2 == 0 else forth[::-1]


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the quotients round by round: what disturbs a round disturbs both sides of it."""
    return [a / b for a, b in zip(above, below, strict=True)]


async def by_size(bench: Bench, sizes: Mapping[int, Contender]) -> dict[int, list[float]]:
    """Let contenders that differ in a size do their work in turns; return what each gave.

    There are three times the usual rounds, since extremes are compared: of four that cost the same,
    and scatter by 15 %, the dearest comes to 1.15 times the cheapest after seven rounds.
    """
    return await interleaved(bench, sizes, times=3)


def steepness(costs: Mapping[int, Sequence[float]]) -> list[float]:
    """Return, round by round, how many times the cheapest size the dearest one costs.

    Which they are is a matter of medians: in each round the extremes would be those of noise.
    """
    by_cost = sorted(costs.values(), key=median)
    return ratios(by_cost[-1], by_cost[0])
