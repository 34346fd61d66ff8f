"""How long a webhook waits for its 200 while they come at a steady rate, whatever the answers do.

It is counted from when each was due, also where no connection was free to send it.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Final

from tests.bench.bench import Bench
from tests.bench.measure import Curve, Findings, Goal
from tests.bench.receive.contenders import CONTENDERS, FASTAPI, GO, PAYEVENTS
from tests.bench.receive.load import Shape
from tests.bench.receive.rounds import Rounds, rounds
from tests.bench.receive.steady import SHARE, bear, compared, p99
from tests.bench.receive.throughput import QUICK_SECONDS, SECONDS

_POINTS: Final = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
_QUICK_POINTS: Final = (0.3, 0.7)


async def measure(bench: Bench) -> Findings:
    """Compare the 99th percentile with the Go peer's, and draw everybody's over the load."""
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    contenders = {name: CONTENDERS[name] for name in (PAYEVENTS, FASTAPI, GO)}
    async with rounds(bench, contenders) as running:
        borne = await bear(bench, running, (PAYEVENTS, GO), seconds)
        most = {name: its.rate / SHARE for name, its in borne.items()}
        most[FASTAPI] = (await running.round(FASTAPI, Shape(seconds))).a_second
        curve = await _curve(running, most, seconds, quick=bench.quick)
    return Findings(compared(borne, PAYEVENTS, GO, Goal(at_most=1.0)), [curve])


async def _curve(
    running: Rounds, most: Mapping[str, float], seconds: float, *, quick: bool
) -> Curve:
    series: dict[str, list[tuple[float, float]]] = {name: [] for name in most}
    for share in _QUICK_POINTS if quick else _POINTS:
        for name, highest_load in most.items():
            rate = share * highest_load
            slowest = p99(await running.round(name, Shape(seconds, rate=rate)))
            if isfinite(slowest):
                series[name].append((rate, slowest))
    return Curve(
        "receive-latency",
        "How long the slowest of a hundred waits for its 200",
        "webhooks a second",
        "p99 in ms, from when it was due",
        series,
    )
