"""Two contenders are compared at 70 % of what each bears, and at a rate that both bear."""

from array import array
from collections import Counter

import pytest

from tests.bench.bench import Bench
from tests.bench.receive.load import Outcome, Shape
from tests.bench.receive.steady import Borne, bear, compared

A, B = "a", "b"


class Machine:
    """It bears so many requests a second, which change; a request waits a ms for 100 a second."""

    def __init__(self, **most: list[float]) -> None:
        self._most = most

    async def round(self, name: str, shape: Shape) -> Outcome:
        """Answer as many as it bears now, or as are sent."""
        rate = self._most[name].pop(0) if shape.rate is None else shape.rate
        return Outcome(
            array("I"),
            statuses=Counter({200: round(rate * shape.seconds)}),
            latencies=array("d", [rate / 1e5] * 100),
            seconds=shape.seconds,
        )


@pytest.fixture
async def borne() -> dict[str, Borne]:
    """Return what two contenders bore in three rounds, on a machine that gets slower and faster."""
    machine = Machine(a=[1000.0, 600.0, 800.0], b=[2000.0, 500.0, 1000.0])
    return await bear(Bench(quick=True), machine, (A, B), 1.0)


def test_each_round_has_the_rate_that_its_own_load_allows(borne: dict[str, Borne]) -> None:
    """70 % of what was borne at another time says nothing of now."""
    assert borne[A].rates == pytest.approx([700, 420, 560])
    assert borne[B].rates == pytest.approx([1400, 350, 700])
    assert borne[A].own == pytest.approx([7.0, 4.2, 5.6])


def test_both_are_compared_at_the_lower_of_their_rates(borne: dict[str, Borne]) -> None:
    """Whoever bears less in a round is measured once in it, and the other twice."""
    assert borne[A].same == pytest.approx([7.0, 3.5, 5.6])
    assert borne[B].same == pytest.approx([7.0, 3.5, 5.6])


def test_quotients_are_of_the_same_round(borne: dict[str, Borne]) -> None:
    """What disturbs a round disturbs both sides of it."""
    own, same, *_ = compared(borne, A, B)
    assert own.values == pytest.approx([0.5, 1.2, 0.8])
    assert same.values == pytest.approx([1.0, 1.0, 1.0])
