"""Rounds alternate, ratios are taken round by round, and a goal that is missed says so."""

from random import Random
from statistics import median

from tests.bench.bench import Bench
from tests.bench.measure import Contender, Goal, Line, by_size, interleaved, ratios, steepness


async def test_contenders_take_turns_and_swap_places() -> None:
    """Nobody always comes second."""
    order: list[str] = []

    def contender(name: str) -> Contender:
        async def work() -> float:
            order.append(name)
            return float(len(order))

        return work

    with Bench(quick=True) as bench:
        given = await interleaved(bench, {"a": contender("a"), "b": contender("b")})
    assert "".join(order) == "abbaab"
    assert given == {"a": [1, 4, 5], "b": [2, 3, 6]}


async def test_sizes_that_cost_the_same_look_flat() -> None:
    """Sizes have so many rounds that the dearest of equals is not dear by chance alone."""
    scatter = Random(1)

    async def work() -> float:
        return scatter.gauss(100, 15)

    with Bench() as bench:
        flat = [await by_size(bench, dict.fromkeys((1, 10, 100, 1000), work)) for _ in range(50)]
    assert median(Line("x", steepness(costs)).measured for costs in flat) < 1.1


def test_ratios_are_taken_round_by_round() -> None:
    """What disturbs a round disturbs both sides of it."""
    assert ratios([2.0, 20.0], [1.0, 10.0]) == [2.0, 2.0]


def test_a_line_is_judged_by_its_median() -> None:
    """One lucky round meets no goal, and one unlucky round misses none."""
    assert Line("x", [0.5, 0.6, 9.0], Goal(at_least=0.7)).is_met is False
    assert Line("x", [0.1, 0.8, 0.9], Goal(at_least=0.7)).is_met is True
    assert Line("x", [3.0, 1.0, 1.0], Goal(at_most=2.0)).is_met is True
    assert Line("x", [1.0]).is_met is None
