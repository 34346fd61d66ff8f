"""How many durable 200s a second of processor time gives, beside the limit and the peers."""

from collections.abc import Mapping, Sequence
from statistics import median

from tests.bench.bench import Bench
from tests.bench.measure import Findings, Goal, Line, interleaved, ratios
from tests.bench.receive.contenders import BARE, CONTENDERS, FASTAPI, GO, PAYEVENTS, SIGNED
from tests.bench.receive.load import Outcome, Shape
from tests.bench.receive.rounds import rounds
from tests.bench.receive.turns import Turns

SECONDS = 4.0
QUICK_SECONDS = 1.0


async def measure(bench: Bench) -> Findings:
    """Let each contender answer as fast as it can, 64 requests at a time."""
    async with rounds(bench, CONTENDERS) as running:
        shape = Shape(QUICK_SECONDS if bench.quick else SECONDS)
        turns = {name: Turns(running, name, shape, _figure) for name in CONTENDERS}
        found = await interleaved(bench, {name: each.next for name, each in turns.items()})
    return Findings(_lines(found, {name: each.outcomes for name, each in turns.items()}))


def _lines(
    a_cpu_second: Mapping[str, Sequence[float]], outcomes: Mapping[str, Sequence[Outcome]]
) -> list[Line]:
    ours = a_cpu_second[PAYEVENTS]
    what = "durable 200s a CPU-second"
    bare, signed = a_cpu_second[BARE], a_cpu_second[SIGNED]
    return [
        Line(
            f"{what} ÷ bare aiohttp",
            ratios(ours, bare),
            Goal(at_least=0.85),
            note="0.70 to be done",
        ),
        Line(f"{what} ÷ FastAPI", ratios(ours, a_cpu_second[FASTAPI]), Goal(at_least=2.0)),
        Line(f"{what} ÷ Go", ratios(ours, a_cpu_second[GO]), Goal(at_least=0.7)),
        Line(
            f"{SIGNED} ÷ bare aiohttp",
            ratios(signed, bare),
            note="nothing is appended: what the cryptography and the key cost",
        ),
        *(Line(name, values, unit="200s/CPU-s") for name, values in a_cpu_second.items()),
        *(
            Line(f"{name}, highest load", [each.a_second for each in its], unit="200s/s")
            for name, its in outcomes.items()
        ),
        Line(
            "the load itself, a request",
            [_load_cost(its) for its in outcomes.values()],
            unit="µs",
            note="of the other core, for each contender",
        ),
    ]


def _figure(outcome: Outcome) -> float:
    return outcome.a_cpu_second


def _load_cost(outcomes: Sequence[Outcome]) -> float:
    return median(each.load_cpu_seconds / each.accepted * 1e6 for each in outcomes)
