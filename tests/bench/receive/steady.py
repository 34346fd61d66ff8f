"""Two contenders under a steady load: how long their 200s take at 70 % of the most they bear."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final, Protocol

from tests.bench.bench import Bench
from tests.bench.measure import Goal, Line, alternating, ratios
from tests.bench.receive.load import Outcome, Shape

SHARE: Final = 0.7
"""Of the highest load."""


def p99(outcome: Outcome) -> float:
    """Return the latency that 99 of 100 requests did not exceed, in milliseconds."""
    return outcome.latency(0.99) * 1e3


class Loaded(Protocol):
    """Contenders that can be loaded, as :class:`tests.bench.receive.rounds.Rounds`."""

    async def round(self, name: str, shape: Shape) -> Outcome:
        """Load the one called ``name``; return what came of it."""


@dataclass(slots=True)
class Borne:
    """What one contender bore, round by round.

    ``rates`` are 70 % of the highest load it had just borne, in requests a second; ``own`` the p99
    at that rate, ``same`` at the lower one of both contenders, in milliseconds.
    """

    rates: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    same: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return its usual rate."""
        return median(self.rates)


async def bear(
    bench: Bench, running: Loaded, names: tuple[str, str], seconds: float
) -> dict[str, Borne]:
    """Load two contenders as much as they bear, and then with 70 % of it.

    Both in each round: machines change their speed between one minute and the next, and 70 % of
    what one bore then is nothing, or too much, now.
    """
    borne = {name: Borne() for name in names}
    for number, order in enumerate(alternating(names, bench.rounds)):
        for name in order:
            most = await running.round(name, Shape(seconds))
            rate = most.a_second * SHARE
            borne[name].rates.append(rate)
            borne[name].own.append(p99(await running.round(name, Shape(seconds, rate=rate))))
        lower = min(each.rates[-1] for each in borne.values())
        for name in order:
            its = borne[name]
            if its.rates[-1] > lower:
                its.same.append(p99(await running.round(name, Shape(seconds, rate=lower))))
            else:
                its.same.append(its.own[-1])
        told = (
            f"{name} {its.own[-1]:,.4g} ms at {its.rates[-1]:,.0f}/s, {its.same[-1]:,.4g} at both's"
            for name, its in borne.items()
        )
        bench.say(f"round {number + 1} of {bench.rounds}: {'; '.join(told)}")
    return borne


def compared(
    borne: Mapping[str, Borne], name: str, against: str, goal: Goal | None = None
) -> list[Line]:
    """Return the lines of the one beside the other; ``goal`` is what their quotient should be."""
    ours, theirs = borne[name], borne[against]
    return [
        Line(
            f"p99 of the 200 at 70 % of the highest load ÷ {against} at 70 % of its own",
            ratios(ours.own, theirs.own),
            goal,
            note=f"some {ours.rate:,.0f}/s and {theirs.rate:,.0f}/s",
        ),
        Line(
            f"p99 of the 200 ÷ {against}, both at 70 % of the lower",
            ratios(ours.same, theirs.same),
            goal,
        ),
        *(
            Line(f"{each}, p99 at 70 % of its own", its.own, unit="ms")
            for each, its in borne.items()
        ),
        *(
            Line(f"{each}, p99 at 70 % of the lower", its.same, unit="ms")
            for each, its in borne.items()
        ),
        *(
            Line(f"{each}, 70 % of the highest load", its.rates, unit="200s/s")
            for each, its in borne.items()
        ),
    ]
