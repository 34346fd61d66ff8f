"""Pauses after failures, and the breaker that keeps them."""

from random import Random

import pytest

from receiver.polling.breaker import FIRST_PAUSE, Breaker, backoff

LONGEST = 300.0


@pytest.mark.parametrize(
    ("failures", "ceiling"),
    [(1, 2.0), (2, 4.0), (5, 32.0), (8, 256.0), (9, 300.0), (10_000, 300.0)],
)
def test_pauses_are_drawn_from_all_up_to_a_doubling_ceiling(failures: int, ceiling: float) -> None:
    """Full jitter: pauses fill the range from the least one to the ceiling, and never leave it."""
    rng = Random(failures)
    pauses = [backoff(failures, LONGEST, rng) for _ in range(2_000)]
    assert FIRST_PAUSE <= min(pauses) < FIRST_PAUSE + (ceiling - FIRST_PAUSE) / 20
    assert ceiling - (ceiling - FIRST_PAUSE) / 20 < max(pauses) <= ceiling


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
