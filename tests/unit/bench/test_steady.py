"""Two contenders are compared at 70 % of what each bears, and at a rate that both bear."""

import pytest

from tests.bench.receive.steady import Rates


@pytest.mark.parametrize(("ours", "theirs"), [(1000.0, 500.0), (500.0, 1000.0)])
def test_whoever_bears_less_is_measured_once(ours: float, theirs: float) -> None:
    """Its own rate is the one that both bear."""
    rates = Rates.of("a", "b", {"a": ours, "b": theirs})
    assert rates.lower == pytest.approx(350)
    assert len(rates.runs) == 3
    assert {("a", rates.ours), ("b", rates.theirs)} <= set(rates.runs)
    assert {("a", rates.lower), ("b", rates.lower)} <= set(rates.runs)


def test_equals_are_measured_once_each() -> None:
    """There is only one rate."""
    assert len(Rates.of("a", "b", {"a": 10.0, "b": 10.0}).runs) == 2
