"""A budget that another process has spent from: its calls count, whatever the clocks say."""

import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from receiver.polling.budget import Budget

from .virtual import virtual

PER = 60.0


class Time:
    """Two clocks of one machine: one that nobody sets, and one that is wrong by ``ahead``."""

    def __init__(self, passed: float, ahead: float) -> None:
        self.passed = passed
        self.ahead = ahead

    def monotonic(self) -> float:
        """Return the seconds that have passed since whatever."""
        return self.passed

    async def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.passed += seconds

    def wall(self, began: float) -> float:
        """Return what the clock says, if the time was 0 when it ``began`` to pass."""
        return 1_800_000_000.0 + (self.passed - began) + self.ahead


def most_within(times: list[float], seconds: float) -> int:
    """Return how many of the times lie within any span of so many seconds, at most."""
    ordered = sorted(times)
    return max((sum(at - seconds < other <= at for other in ordered) for at in ordered), default=0)


pauses = st.lists(st.floats(0.0, 2 * PER), min_size=1, max_size=40)


def spend(budget: Budget, time: Time, waits: list[float]) -> list[float]:
    """Take a call after each pause; return when each was made."""
    made = []
    for wait in waits:
        time.passed += wait
        asyncio.run(budget.take())
        made.append(time.passed)
    return made


@given(
    calls=st.integers(1, 8),
    before=pauses,
    idle=st.floats(0.0, 2 * PER),
    after=pauses,
    behind=st.floats(0.0, 3_600.0),
)
def test_no_period_sees_more_calls_than_allowed_across_a_takeover(
    calls: int, before: list[float], idle: float, after: list[float], behind: float
) -> None:
    """Calls of the owner before and of its heir, whose clock may be behind, keep to one budget."""
    owner_time = Time(passed=123.0, ahead=0.0)
    owner = Budget(calls, PER, monotonic=owner_time.monotonic, sleep=owner_time.sleep)
    made = [at - 123.0 for at in spend(owner, owner_time, before)]
    spent = owner.spent(owner_time.wall(began=123.0))
    elapsed = owner_time.passed - 123.0 + idle

    heir_time = Time(passed=7_777.0 + elapsed, ahead=-behind)
    heir = Budget(calls, PER, monotonic=heir_time.monotonic, sleep=heir_time.sleep)
    heir.resume(spent, heir_time.wall(began=7_777.0))
    made += [at - 7_777.0 for at in spend(heir, heir_time, after)]
    assert most_within(made, PER - 1e-5) <= calls


@given(calls=st.integers(1, 300), before=st.lists(st.floats(0.0, 1.0), max_size=300))
def test_what_was_spent_is_told_in_a_few_pairs(calls: int, before: list[float]) -> None:
    """However many calls there were: a pair for each twelfth of the period, none is left out."""
    time = Time(0.0, 0.0)
    budget = Budget(calls, PER, monotonic=time.monotonic, sleep=time.sleep)
    made = spend(budget, time, before) if before else []
    pairs = budget.spent(time.wall(0.0))
    assert len(pairs) <= 13
    assert all(earlier[0] < later[0] for earlier, later in pairwise(pairs))
    assert sum(count for _, count in pairs) == sum(at > time.passed - PER for at in made)
    assert budget.used() == sum(count for _, count in pairs)


@virtual
async def test_what_was_spent_in_the_future_counts_from_now() -> None:
    """A clock that was set back by hours makes nobody wait longer than a period."""
    time = asyncio.get_running_loop().time
    budget = Budget(3, PER, monotonic=time)
    budget.resume([(9_000.0, 3)], now=1_000.0)
    assert budget.wait_for(1) == PER
    await budget.take()
    assert time() == PER


@virtual
async def test_how_long_calls_must_wait_is_known_before() -> None:
    """For one and for several; for more than there are, as long as for all."""
    time = asyncio.get_running_loop().time
    budget = Budget(3, PER, monotonic=time)
    assert budget.wait_for(3) == 0.0
    await budget.take()
    await asyncio.sleep(10.0)
    await budget.take()
    assert (budget.wait_for(1), budget.wait_for(2), budget.wait_for(3)) == (0.0, 50.0, 60.0)
    assert budget.wait_for(99) == 60.0
    await budget.take()
    assert budget.wait_for(1) == 50.0


@virtual
async def test_a_call_that_is_given_up_was_never_taken() -> None:
    """Whoever is cancelled while waiting leaves the place to the next."""
    time = asyncio.get_running_loop().time
    budget = Budget(1, PER, monotonic=time)
    await budget.take()
    waiting = asyncio.create_task(budget.take())
    await asyncio.sleep(1.0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await budget.take()
    assert time() == PER


@virtual
async def test_a_call_is_kept_before_it_is_made() -> None:
    """What is told while it is kept has it already, and its period begins when it is made."""
    time = asyncio.get_running_loop().time
    budget = Budget(1, PER, monotonic=time)
    told = []

    async def keep() -> None:
        told.append(budget.spent(time()))
        await asyncio.sleep(5.0)

    budget.keep_first(keep)
    await budget.take()
    assert told == [((0.0, 1),)]
    assert time() == 5.0
    assert budget.wait_for(1) == PER
