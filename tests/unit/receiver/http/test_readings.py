"""Readings that several wait for, and that end when nobody does."""

import asyncio

import pytest

from receiver.http.readings import Readings


class Topic:
    """Is read only when a test lets it, and notes each reading's beginning and end."""

    def __init__(self) -> None:
        self.begun = 0
        self.running = 0
        self.most = 0
        self.go_on = asyncio.Event()

    async def read(self) -> int:
        """Return the number of the reading."""
        self.begun += 1
        number = self.begun
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.go_on.wait()
        finally:
            self.running -= 1
        return number


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_equal_questions_share_one_reading() -> None:
    """Whoever asks while it is read gets the same answer; whoever asks later has it read anew."""
    topic, readings = Topic(), Readings[int]()
    askers = [asyncio.create_task(readings.of("all", topic.read)) for _ in range(5)]
    await settle()
    topic.go_on.set()
    assert await asyncio.gather(*askers) == [1] * 5
    assert await readings.of("all", topic.read) == 2


async def test_other_questions_wait_their_turn() -> None:
    """However many are asked, only so many run at the same time."""
    topic, readings = Topic(), Readings[int](at_once=2)
    askers = [asyncio.create_task(readings.of(number, topic.read)) for number in range(6)]
    await settle()
    assert topic.running == 2
    topic.go_on.set()
    assert sorted(await asyncio.gather(*askers)) == [1, 2, 3, 4, 5, 6]
    assert topic.most == 2


async def test_a_reading_ends_with_the_last_who_waits() -> None:
    """One who goes takes nothing from the others; once all have gone it is broken off."""
    topic, readings = Topic(), Readings[int]()
    first, second = (asyncio.create_task(readings.of("all", topic.read)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    assert topic.running == 1
    second.cancel()
    await settle()
    assert topic.running == 0
    topic.go_on.set()
    assert await readings.of("all", topic.read) == 2


async def test_what_nobody_waits_for_is_never_begun() -> None:
    """A question that is given up while another is read costs nothing."""
    topic, readings = Topic(), Readings[int]()
    running = asyncio.create_task(readings.of("one", topic.read))
    given_up = asyncio.create_task(readings.of("other", topic.read))
    await settle()
    given_up.cancel()
    topic.go_on.set()
    await running
    await settle()
    assert topic.begun == 1


async def test_a_failure_is_told_to_all_and_not_kept() -> None:
    """Each who waits learns why, and the next question has it tried again."""
    readings = Readings[int]()
    topic = Topic()

    async def fail() -> int:
        await topic.read()
        raise OSError("Kafka is away")

    askers = [asyncio.create_task(readings.of("all", fail)) for _ in range(2)]
    await settle()
    topic.go_on.set()
    told = await asyncio.gather(*askers, return_exceptions=True)
    assert [str(error) for error in told] == ["Kafka is away"] * 2
    with pytest.raises(OSError, match="away"):
        await readings.of("all", fail)
    assert topic.begun == 2
