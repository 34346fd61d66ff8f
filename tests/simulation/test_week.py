"""A week of a shop under outages on both sides: see tests/simulation/week.

``python -m tests.simulation week --seed 0-20 --weeks 2`` looks further.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import pytest

from handlers.smartpay import reconciliation
from handlers.smartpay.sandbox.strictness import Twenty
from receiver.polling import breaker
from receiver.polling.account import AccountPolling
from receiver.registration.situation import Situation
from tests.simulation.week.plan import DAY, HOUR, Version, WeekPlan, strictness
from tests.simulation.week.run import simulate_week
from tests.simulation.week.verdict import origins

WEEKS: list[tuple[int, Version, float]] = [(1, "1-2", 1.0), (2, "2-0", 0.3), (8, "2-0", 0.3)]
DEAF = WeekPlan(2, weeks=0.25, troubles=1.0, deaf=True, settling=DAY / 2)
AILING = WeekPlan(1, weeks=0.1, troubles=12.0, only=("ailing API",), settling=HOUR)

Sabotage: TypeAlias = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize(("seed", "version", "weeks"), WEEKS)
def test_a_week_is_published_exactly_once(seed: int, version: Version, weeks: float) -> None:
    """Whatever breaks, each fact shown is published once, and all that is promised holds."""
    week = simulate_week(WeekPlan(seed, version, weeks=weeks))
    published = origins(week.world.cluster)
    assert published["webhook"] > published["reconciliation"] > 0
    assert len(week.weather.troubles) > 5


def test_the_weeks_meet_what_smartpay_leaves_open() -> None:
    """Between them the seeds draw each reading of the 20, and each habit of the listings."""
    drawn = [strictness(seed, patience=15) for seed, _, _ in WEEKS]
    assert {each.twenty for each in drawn} == set(Twenty)
    assert {each.newest_first for each in drawn} == {True, False}
    assert {each.modify_enables for each in drawn} == {True, False}
    assert {bool(each.listing_lag) for each in drawn} == {True, False}


def test_without_any_webhook_all_is_found_in_time() -> None:
    """Where nothing ever gets through to the receivers, the listings are read often enough."""
    week = simulate_week(DEAF)
    assert set(origins(week.world.cluster)) <= {"reconciliation", "lookup", "webhook"}


def test_windows_that_are_not_read_again_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a closed window is not looked at any more, late changes are found too late."""
    monkeypatch.setattr(reconciliation, "_pause", lambda *_, **__: timedelta(days=30))
    with pytest.raises(AssertionError, match=r"took \d+ s of at most"):
        simulate_week(DEAF)


def test_a_guard_that_suspects_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where silence is never taken for a disabled webhook, one stays disabled."""
    monkeypatch.setattr(Situation, "is_suspect", lambda *_: False)
    with pytest.raises(AssertionError, match="enabled here are only"):
        simulate_week(WeekPlan(2, weeks=0.2))


def rest_never(patch: pytest.MonkeyPatch) -> None:
    """Go on after an error as if nothing had happened."""
    patch.setattr(breaker.Breaker, "fail", lambda *_, **__: None)


def rest_half_as_long(patch: pytest.MonkeyPatch) -> None:
    """Make each pause half as long as it should be, which SmartPay puts up with."""
    real = breaker.backoff
    patch.setattr(breaker, "backoff", lambda *arguments: real(*arguments) / 2)


def call_at_once(patch: pytest.MonkeyPatch) -> None:
    """Start whatever is due, though another call is under way."""
    patch.setattr(AccountPolling, "is_busy", False)


@pytest.mark.parametrize(
    ("sabotage", "found"),
    [
        (rest_never, "SmartPay disabled the account"),
        (rest_half_as_long, "after failure 1 only"),
        (call_at_once, "two calls at once"),
    ],
)
def test_a_bad_guest_is_found_out(
    sabotage: Sabotage, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where calls go on in spite of errors, or side by side, SmartPay or we notice."""
    sabotage(monkeypatch)
    with pytest.raises(AssertionError, match=found):
        simulate_week(AILING)
