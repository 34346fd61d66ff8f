"""Services that differ in one size alone are given the same work in turns: their costs compare."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from statistics import median

from aiokafka import AIOKafkaProducer

from tests.bench.bench import Bench
from tests.bench.growth.router import Size, started
from tests.bench.measure import Curve, Findings, Goal, Line, by_size, steepness
from tests.bench.route.contender import Contender
from tests.bench.route.inbox import filler
from tests.bench.route.observations import Observations, observations

_MICRO = 1e6
_FLAT = Goal(at_most=1.15)
_KEPT = 4
"""Sets of observations: sizes that are given the same share them within a round."""


async def growing(
    bench: Bench,
    what: str,
    services: Mapping[int, Size],
    each_round: Callable[[Size], Sequence[int]],
) -> Findings:
    """Return what an observation costs as ``what`` grows.

    Each of the services is named by how large that is in it, and has ``each_round`` to route in
    every round: backlogs of so many observations.
    """
    costs = await _costs(bench, services, each_round)
    title = f"Processor time of a routed observation by {what}"
    points = [(float(size), median(each)) for size, each in costs.items()]
    name = f"growth-{what.partition(' ')[0]}"
    return Findings(
        [Line(f"an observation by {what}: dearest ÷ cheapest", steepness(costs), _FLAT)],
        [Curve(name, title, what, "µs", {"payevents": points}, log_x=True)],
    )


async def _costs(
    bench: Bench, services: Mapping[int, Size], each_round: Callable[[Size], Sequence[int]]
) -> dict[int, list[float]]:
    """Return what an observation costs each of the services, in microseconds, round by round."""
    cluster = await bench.cluster()
    async with AsyncExitStack() as stack:
        producer = await stack.enter_async_context(filler(cluster.bootstrap_servers))
        turns = {}
        for number, size in services.items():
            bench.say(f"starting {size}")
            router = await started(bench, stack, producer, size)
            turns[number] = _Turns(router, producer, size, each_round(size))
        for turn in turns.values():
            await turn.next()
        costs = await by_size(bench, {number: turn.next for number, turn in turns.items()})
        for turn in turns.values():
            turn.router.end()
    return costs


class _Turns:
    """A service's turns: one each round, with that round's observations."""

    def __init__(
        self, router: Contender, producer: AIOKafkaProducer, size: Size, backlogs: Sequence[int]
    ) -> None:
        self.router = router
        self._producer = producer
        self._size = size
        self._backlogs = backlogs

    async def next(self) -> float:
        """Route the next observations; return what one of them cost in microseconds."""
        size, seconds = self._size, 0.0
        for count in self._backlogs:
            given = _made(count, size.partitions, size.accounts, len(self.router.a_second))
            seconds += given.count / await self.router.route(self._producer, given)
        return _MICRO * seconds / sum(self._backlogs)


@lru_cache(maxsize=_KEPT)
def _made(count: int, partitions: int, accounts: int, this_round: int) -> Observations:
    return observations(count, partitions, this_round, accounts)
