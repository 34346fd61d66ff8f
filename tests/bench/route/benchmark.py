"""Backlogs, round by round: each contender is a process that stays, with topics of its own."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import lru_cache

from aiokafka import AIOKafkaProducer

from tests.bench.bench import Bench
from tests.bench.measure import Findings, Goal, Line, interleaved, ratios
from tests.bench.route.contender import Contender
from tests.bench.route.inbox import filler
from tests.bench.route.observations import Observations, observations
from tests.bench.route.starting import (
    COPY,
    COPY_ON_LIBRDKAFKA,
    PARTITIONS,
    ROUTER,
    SKETCH,
    SKETCH_ON_LIBRDKAFKA,
    STREAMS,
    UNGUARDED,
    started,
)

OBSERVATIONS = 100_000

_OBSERVATIONS_A_CPU_SECOND = "observations/CPU-s"


async def measure(bench: Bench) -> Findings:
    """Let all contenders work off the same backlogs; every record they write is verified."""
    cluster = await bench.cluster()
    async with AsyncExitStack() as stack:
        contenders = await started(bench, stack)
        producer = await stack.enter_async_context(filler(cluster.bootstrap_servers))
        for contender in contenders:
            bench.say(f"warming up: {contender.name}")
            await contender.route(producer, _made(contender.warm_up, 0))
            contender.a_second.clear()
        turns = [_Turns(contender, producer, bench) for contender in contenders]
        found = await interleaved(bench, {turn.contender.name: turn.next for turn in turns})
        for contender in contenders:
            contender.end()
    return Findings(_lines(found, {each.name: each.a_second for each in contenders}))


class _Turns:
    """A contender's turns: one each round, with that round's observations."""

    def __init__(self, contender: Contender, producer: AIOKafkaProducer, bench: Bench) -> None:
        self.contender = contender
        self._producer = producer
        self._count = bench.scaled(OBSERVATIONS)

    async def next(self) -> float:
        """Work off the next round's observations."""
        this_round = 1 + len(self.contender.a_second)
        return await self.contender.route(self._producer, _made(self._count, this_round))


@lru_cache(maxsize=1)
def _made(count: int, this_round: int) -> Observations:
    return observations(count, PARTITIONS, this_round)


def _lines(
    a_cpu_second: Mapping[str, Sequence[float]], a_second: Mapping[str, Sequence[float]]
) -> list[Line]:
    routed = a_cpu_second[ROUTER]
    unguarded = ratios(a_second[ROUTER], a_second[UNGUARDED])
    unit = _OBSERVATIONS_A_CPU_SECOND
    mix = "1.5 events an observation; the loop writes one record for each it reads"
    return [
        Line("routed ÷ copied", ratios(routed, a_cpu_second[COPY]), Goal(at_least=0.2), note=mix),
        Line(
            "routed ÷ by Kafka Streams", ratios(routed, a_cpu_second[STREAMS]), Goal(at_least=1.0)
        ),
        Line(
            "routed ÷ by a sketch",
            ratios(routed, a_cpu_second[SKETCH]),
            note="the least that makes these events in Python, with nothing else to it",
        ),
        Line(
            "routed by a sketch ÷ by Kafka Streams",
            ratios(a_cpu_second[SKETCH], a_cpu_second[STREAMS]),
        ),
        Line(
            "copied on librdkafka ÷ on aiokafka",
            ratios(a_cpu_second[COPY_ON_LIBRDKAFKA], a_cpu_second[COPY]),
        ),
        Line(
            "routed by a sketch on librdkafka ÷ on aiokafka",
            ratios(a_cpu_second[SKETCH_ON_LIBRDKAFKA], a_cpu_second[SKETCH]),
        ),
        Line("exactly-once ÷ without transactions, a second", unguarded, Goal(at_least=0.95)),
        Line(
            "exactly-once ÷ without transactions, a CPU-second",
            ratios(routed, a_cpu_second[UNGUARDED]),
        ),
        *(Line(name, values, unit=unit) for name, values in a_cpu_second.items()),
        Line("routed a second", a_second[ROUTER], unit="observations/s"),
    ]
