"""Services that differ in one size alone are given the same work in turns: their costs compare."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from statistics import median

from aiokafka import AIOKafkaProducer

from tests.bench.bench import Bench
from tests.bench.growth.router import started
from tests.bench.measure import Curve, Findings, Goal, Line, interleaved, ratios
from tests.bench.route.contender import Contender
from tests.bench.route.inbox import filler
from tests.bench.route.observations import Observations, observations

RESOURCES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
IN_PARTITIONS = 12
EACH_ROUND = 2_400
"""Observations: few, since three of four bring a resource more, which the least ledger feels."""

PARTITIONS = (4, 12, 48, 200)
EACH_PARTITION = 600
"""Observations a partition and round: a backlog is no shallower where there are more of them."""

_MICRO = 1e6
_FLAT = Goal(at_most=1.15)


async def measure(bench: Bench) -> Findings:
    """Let the ledger grow, then the partitions."""
    resources = [size for size in RESOURCES if not bench.quick or size < RESOURCES[-1]]
    ledger = await _costs(
        bench, {size: (IN_PARTITIONS, size) for size in resources}, EACH_ROUND // IN_PARTITIONS
    )
    partitions = await _costs(bench, {count: (count, 0) for count in PARTITIONS}, EACH_PARTITION)
    return Findings(
        [
            Line("dearest ÷ cheapest ledger", _steepness(ledger), _FLAT),
            Line("dearest ÷ cheapest number of partitions", _steepness(partitions), _FLAT),
        ],
        [
            _curve("ledger", "resources in the ledger", ledger),
            _curve("partitions", "partitions", partitions),
        ],
    )


async def _costs(
    bench: Bench, services: Mapping[int, tuple[int, int]], each_partition: int
) -> dict[int, list[float]]:
    """Return what an observation costs each of the services, in microseconds, round by round.

    Each is named by its size, and has so many partitions and, at first, resources.
    """
    cluster = await bench.cluster()
    async with AsyncExitStack() as stack:
        producer = await stack.enter_async_context(filler(cluster.bootstrap_servers))
        turns = {}
        for size, (partitions, resources) in services.items():
            bench.say(f"starting {partitions} partitions with {resources:,} resources")
            router = await started(bench, stack, producer, partitions, resources)
            turns[str(size)] = _Turns(router, producer, partitions, each_partition * partitions)
        for turn in turns.values():
            await turn.next()
        found = await interleaved(bench, {name: turn.next for name, turn in turns.items()})
        for turn in turns.values():
            turn.router.end()
    return {int(name): costs for name, costs in found.items()}


class _Turns:
    """A service's turns: one each round, with that round's observations."""

    def __init__(
        self, router: Contender, producer: AIOKafkaProducer, partitions: int, count: int
    ) -> None:
        self.router = router
        self._producer = producer
        self._partitions = partitions
        self._count = count

    async def next(self) -> float:
        """Route the next observations; return what one of them cost in microseconds."""
        given = _made(self._count, self._partitions, len(self.router.a_second))
        return _MICRO / await self.router.route(self._producer, given)


@lru_cache(maxsize=len(PARTITIONS))
def _made(count: int, partitions: int, this_round: int) -> Observations:
    return observations(count, partitions, this_round)


def _steepness(costs: Mapping[int, Sequence[float]]) -> list[float]:
    """Return, round by round, how many times the cheapest size the dearest one costs.

    Which they are is a matter of medians: in each round the extremes would be those of noise.
    """
    by_cost = sorted(costs.values(), key=median)
    return ratios(by_cost[-1], by_cost[0])


def _curve(name: str, x: str, costs: Mapping[int, Sequence[float]]) -> Curve:
    points = [(float(size), median(each)) for size, each in costs.items()]
    title = f"Processor time of a routed observation by {x}"
    return Curve(f"growth-{name}", title, x, "µs", {"payevents": points}, log_x=True)
