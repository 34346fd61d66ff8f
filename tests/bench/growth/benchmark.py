"""Services that differ in one size alone are given the same work in turns: their costs compare."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from statistics import median

from aiokafka import AIOKafkaProducer

from tests.bench.bench import Bench
from tests.bench.growth.router import Size, started
from tests.bench.measure import Curve, Findings, Goal, Line, interleaved, steepness
from tests.bench.route.contender import Contender
from tests.bench.route.inbox import filler
from tests.bench.route.observations import Observations, observations

RESOURCES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
EACH_ROUND = 2_400
"""Observations: few, since three of four bring a resource more, which the least ledger feels."""

PARTITIONS = (4, 12, 48, 200)
EACH_PARTITION = 600
"""Observations a partition and backlog: it is no shallower where there are more of them."""
AT_LEAST = 28_800
"""Observations a round: where partitions are few, in several backlogs one after another."""

ACCOUNTS = (3, 30, 300, 1_000)
EACH_ROUND_OF_ACCOUNTS = 4_800

_MICRO = 1e6
_FLAT = Goal(at_most=1.15)


async def measure(bench: Bench) -> Findings:
    """Let the ledger grow, then the partitions, then the accounts."""
    resources = [size for size in RESOURCES if not bench.quick or size < RESOURCES[-1]]
    ledger = await _costs(
        bench, {count: Size(resources=count) for count in resources}, lambda _: [EACH_ROUND]
    )
    partitions = await _costs(
        bench,
        {count: Size(partitions=count) for count in PARTITIONS},
        lambda size: _backlogs(EACH_PARTITION * size.partitions),
    )
    accounts = await _costs(
        bench,
        {count: Size(accounts=count) for count in ACCOUNTS},
        lambda _: [EACH_ROUND_OF_ACCOUNTS],
    )
    return Findings(
        [
            Line("dearest ÷ cheapest ledger", steepness(ledger), _FLAT),
            Line("dearest ÷ cheapest number of partitions", steepness(partitions), _FLAT),
            Line("dearest ÷ cheapest number of accounts", steepness(accounts), _FLAT),
        ],
        [
            _curve("ledger", "resources in the ledger", ledger),
            _curve("partitions", "partitions", partitions),
            _curve("accounts", "accounts", accounts),
        ],
    )


async def _costs(
    bench: Bench, services: Mapping[int, Size], each_round: Callable[[Size], Sequence[int]]
) -> dict[int, list[float]]:
    """Return what an observation costs each of the services, in microseconds, round by round.

    Each is named by what differs, and has ``each_round`` to route in every round: backlogs of so
    many observations.
    """
    cluster = await bench.cluster()
    async with AsyncExitStack() as stack:
        producer = await stack.enter_async_context(filler(cluster.bootstrap_servers))
        turns = {}
        for number, size in services.items():
            bench.say(f"starting {size}")
            router = await started(bench, stack, producer, size)
            turns[str(number)] = _Turns(router, producer, size, each_round(size))
        for turn in turns.values():
            await turn.next()
        found = await interleaved(bench, {name: turn.next for name, turn in turns.items()})
        for turn in turns.values():
            turn.router.end()
    return {int(name): costs for name, costs in found.items()}


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


def _backlogs(count: int) -> Sequence[int]:
    return [count] * max(1, round(AT_LEAST / count))


@lru_cache(maxsize=len(PARTITIONS))
def _made(count: int, partitions: int, accounts: int, this_round: int) -> Observations:
    return observations(count, partitions, this_round, accounts)


def _curve(name: str, x: str, costs: Mapping[int, Sequence[float]]) -> Curve:
    points = [(float(size), median(each)) for size, each in costs.items()]
    title = f"Processor time of a routed observation by {x}"
    return Curve(f"growth-{name}", title, x, "µs", {"payevents": points}, log_x=True)
