"""How many calls may be under way at once."""

import asyncio

from receiver.polling.slots import Slots


async def test_no_more_are_taken_than_there_are() -> None:
    """Whoever comes too many waits, and goes on in the order of arrival."""
    slots, order = Slots(2), list[int]()
    under_way = most = 0

    async def call(number: int) -> None:
        nonlocal under_way, most
        await slots.take()
        order.append(number)
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        slots.give_back()

    await asyncio.gather(*(call(number) for number in range(20)))
    assert (order, most) == (list(range(20)), 2)


async def test_whoever_gives_up_takes_no_slot() -> None:
    """Neither while waiting, nor in the moment when the turn had come."""
    slots = Slots(1)
    await slots.take()
    waiting = [asyncio.create_task(slots.take()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    slots.give_back()
    waiting[1].cancel()
    await asyncio.wait(waiting, timeout=5.0)
    assert [task.cancelled() for task in waiting] == [True, True, False]
    slots.give_back()
    await asyncio.wait_for(slots.take(), 1.0)
