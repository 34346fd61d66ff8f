"""A week of a shop under outages on both sides: see tests/simulation/week.

``python -m tests.simulation week --seed 0-20 --weeks 2`` looks further.
"""

from datetime import timedelta

import pytest

from handlers.smartpay import reconciliation
from receiver.registration.situation import Situation
from tests.simulation.week.plan import DAY, Version, WeekPlan
from tests.simulation.week.run import simulate_week
from tests.simulation.week.verdict import origins

DEAF = WeekPlan(2, weeks=0.25, troubles=1.0, deaf=True, settling=DAY / 2)


@pytest.mark.parametrize(("seed", "version", "weeks"), [(1, "1-2", 1.0), (2, "2-0", 0.5)])
def test_a_week_is_published_exactly_once(seed: int, version: Version, weeks: float) -> None:
    """Whatever breaks, each fact shown is published once, and all that is promised holds."""
    week = simulate_week(WeekPlan(seed, version, weeks=weeks))
    published = origins(week.world.cluster)
    assert published["webhook"] > published["reconciliation"] > 0
    assert len(week.weather.troubles) > 5


def test_without_any_webhook_all_is_found_in_time() -> None:
    """Where nothing ever gets through to the receivers, the listings are read often enough."""
    week = simulate_week(DEAF)
    assert set(origins(week.world.cluster)) <= {"reconciliation", "lookup", "webhook"}


def test_windows_that_are_not_read_again_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a closed window is not looked at any more, late payments are found too late."""
    monkeypatch.setattr(reconciliation, "_pause", lambda *_, **__: timedelta(days=30))
    with pytest.raises(AssertionError, match="paid at"):
        simulate_week(DEAF)


def test_a_guard_that_suspects_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where silence is never taken for a disabled webhook, one stays disabled."""
    monkeypatch.setattr(Situation, "is_suspect", lambda *_: False)
    with pytest.raises(AssertionError, match="enabled here are only"):
        simulate_week(WeekPlan(2, weeks=0.2))
