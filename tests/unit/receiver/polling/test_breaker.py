"""Pauses after failures, and the breaker that keeps them."""

from random import Random

import pytest

from receiver.polling.breaker import FIRST_PAUSE, Breaker, backoff

LONGEST = 300.0


@pytest.mark.parametrize(
    ("failures", "ceiling"),
    [(1, 2.0), (2, 4.0), (5, 32.0), (8, 256.0), (9, 300.0), (10_000, 300.0)],
)
def test_pauses_are_drawn_from_the_upper_half_below_a_doubling_ceiling(
    failures: int, ceiling: float
) -> None:
    """Jitter: pauses fill the range from half the ceiling to all of it, and never leave it."""
    rng = Random(failures)
    pauses = [backoff(failures, LONGEST, rng) for _ in range(2_000)]
    assert ceiling / 2 <= min(pauses) < ceiling * 0.53
    assert ceiling * 0.97 < max(pauses) <= ceiling


def test_pauses_only_grow() -> None:
    """From the shortest one on, none is shorter than the one before, until the longest."""
    rng = Random(5)
    pauses = [backoff(failures, 6 * 3600.0, rng, 60.0) for failures in range(1, 9)]
    assert 60.0 <= pauses[0] <= 120.0
    assert pauses == sorted(pauses)


def test_no_pause_is_longer_than_the_longest() -> None:
    """Even the least pause yields to a shorter longest one."""
    assert backoff(1, 0.5, Random(1)) == 0.5
    assert backoff(50, 1.0, Random(1)) == 1.0


def test_it_opens_for_longer_with_each_failure_and_closes_with_one_success() -> None:
    """The ceiling of the pause doubles from failure to failure; success forgets them all."""
    breaker = Breaker(LONGEST, Random(3))
    now = 1_000.0
    for failures in range(1, 12):
        breaker.fail(now)
        assert breaker.failures == failures
        assert FIRST_PAUSE <= breaker.open_until - now <= min(LONGEST, 2.0**failures)
        assert breaker.is_open(now)
        assert breaker.is_open(breaker.open_until - 0.001)
        now = breaker.open_until
        assert not breaker.is_open(now)
    assert not breaker.is_closed
    breaker.succeed(now)
    assert breaker.is_closed
    breaker.fail(now)
    assert breaker.open_until - now <= 2.0


def test_calls_that_fail_together_are_one_failure() -> None:
    """A failure while it is open neither counts nor lengthens the pause."""
    breaker = Breaker(LONGEST, Random(3))
    breaker.fail(10.0)
    until = breaker.open_until
    for _ in range(5):
        breaker.fail(10.1)
    assert (breaker.failures, breaker.open_until) == (1, until)


def test_a_success_from_before_does_not_close_it() -> None:
    """What was under way when it opened says nothing about now."""
    breaker = Breaker(LONGEST, Random(3))
    breaker.fail(10.0, longest=True)
    breaker.succeed(11.0)
    assert breaker.is_open(11.0)
    assert not breaker.is_closed


def test_it_opens_for_the_longest_at_once_where_it_must() -> None:
    """A refusal counts for the longest pause, also while it is open already."""
    breaker = Breaker(LONGEST, Random(3))
    breaker.fail(10.0)
    breaker.fail(10.5, longest=True)
    assert breaker.open_until == 10.5 + LONGEST


def test_it_goes_on_where_another_owner_was() -> None:
    """Failures and pause are taken over; a clock that was ahead cannot make the pause longer."""
    breaker = Breaker(LONGEST, Random(3))
    breaker.resume(4, 1_100.0, 1_000.0)
    assert (breaker.failures, breaker.open_until) == (4, 1_100.0)
    breaker.resume(4, 90_000.0, 1_000.0)
    assert breaker.open_until == 1_000.0 + LONGEST


def test_whoever_is_told_to_tries_at_once_and_one_at_a_time() -> None:
    """The pause ends, but nothing is forgotten: the next failure opens it for longer still."""
    breaker = Breaker(LONGEST, Random(3))
    for _ in range(4):
        breaker.fail(breaker.open_until)
    now = breaker.open_until - 1.0
    breaker.try_now(now)
    assert not breaker.is_open(now)
    assert not breaker.is_closed
    breaker.fail(now)
    assert breaker.open_until - now >= 16.0
