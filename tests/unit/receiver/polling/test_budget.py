"""The budget of calls: never more than so many in any period."""

import asyncio
from random import Random

from receiver.polling.budget import Budget

from .virtual import virtual


def budget(calls: int, per: float) -> Budget:
    """Return a budget over the running loop's time."""
    return Budget(calls, per, monotonic=asyncio.get_running_loop().time)


@virtual
async def test_calls_within_the_budget_do_not_wait() -> None:
    """A whole budget may be used at once."""
    time = asyncio.get_running_loop().time
    tested = budget(5, 60.0)
    for _ in range(5):
        await tested.take()
    assert time() == 0.0
    await tested.take()
    assert time() == 60.0
    assert tested.taken == 6


@virtual
async def test_no_period_sees_more_calls_than_allowed() -> None:
    """Whenever the calls are made, any period holds at most as many as the budget has."""
    time, rng, made = asyncio.get_running_loop().time, Random(11), list[float]()
    tested = budget(7, 10.0)

    async def call() -> None:
        await tested.take()
        made.append(time())

    async with asyncio.TaskGroup() as group:
        for _ in range(300):
            group.create_task(call())
            if rng.random() < 0.2:
                await asyncio.sleep(rng.uniform(0, 12))
    assert len(made) == tested.taken == 300
    assert all(later - earlier > 9.999 for earlier, later in zip(made, made[7:], strict=False))


@virtual
async def test_those_who_wait_are_served_in_turn() -> None:
    """First come, first served."""
    served = []
    tested = budget(1, 10.0)

    async def call(number: int) -> None:
        await tested.take()
        served.append((number, asyncio.get_running_loop().time()))

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(call(number))
    assert served == [(0, 0.0), (1, 10.0), (2, 20.0), (3, 30.0)]


async def seven_calls_at(*, calls: int, changed_at: float, to: int) -> list[float]:
    """Return when each of seven calls is made, if so many an hour become others at some time."""
    time, made = asyncio.get_running_loop().time, list[float]()
    tested = budget(calls, 3600.0)

    async def call() -> None:
        await tested.take()
        made.append(time())

    async with asyncio.TaskGroup() as group:
        for _ in range(7):
            group.create_task(call())
        await asyncio.sleep(changed_at)
        tested.allow(to, 3600.0)
    return made


@virtual
async def test_another_budget_holds_for_those_who_wait() -> None:
    """Whoever raises it does not want to see a call wait for an hour."""
    made = await seven_calls_at(calls=2, changed_at=600.0, to=5)
    assert made == [0.0] * 2 + [600.0] * 3 + [3600.0] * 2


@virtual
async def test_a_smaller_budget_holds_for_those_who_wait() -> None:
    """No period sees more calls than are allowed now."""
    made = await seven_calls_at(calls=4, changed_at=630.0, to=2)
    assert made == [0.0] * 4 + [3600.0] * 2 + [7200.0]


@virtual
async def test_time_without_calls_earns_no_more_than_one_budget() -> None:
    """After a long rest a burst is as large as the budget, not larger."""
    time = asyncio.get_running_loop().time
    tested = budget(3, 10.0)
    await asyncio.sleep(1_000.0)
    for _ in range(4):
        await tested.take()
    assert time() == 1_010.0


@virtual
async def test_keeping_a_call_may_take_longer_than_the_period() -> None:
    """It is made all the same; whoever asks meanwhile makes it no failure."""
    time = asyncio.get_running_loop().time
    tested = budget(1, 10.0)
    tested.keep_first(lambda: asyncio.sleep(12.0))
    call = asyncio.create_task(tested.take())
    await asyncio.sleep(11.0)
    assert tested.used() == 0
    await call
    assert (time(), tested.used()) == (12.0, 1)


@virtual
async def test_a_call_given_up_while_it_is_kept_is_cancelled() -> None:
    """However long that has taken already."""
    tested = budget(1, 10.0)
    tested.keep_first(lambda: asyncio.sleep(60.0))
    call = asyncio.create_task(tested.take())
    await asyncio.sleep(11.0)
    assert tested.used() == 0
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()


@virtual
async def test_no_period_sees_more_calls_where_keeping_takes_long() -> None:
    """A call that was made later than it was to be moves the turn of those that wait for it."""
    time, rng, made = asyncio.get_running_loop().time, Random(5), list[float]()
    tested = budget(2, 10.0)
    tested.keep_first(lambda: asyncio.sleep(rng.choice([0.0, 1.0, 4.0, 15.0])))

    async def call() -> None:
        await tested.take()
        made.append(time())

    async with asyncio.TaskGroup() as group:
        for _ in range(100):
            group.create_task(call())
    assert len(made) == 100
    assert all(later - earlier > 9.999 for earlier, later in zip(made, made[2:], strict=False))
    assert made[-1] < 100 * 10.0
