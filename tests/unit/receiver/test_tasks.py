"""Background tasks: none ends unnoticed."""

import asyncio

import pytest

from receiver.tasks import Tasks


async def _forever() -> None:
    await asyncio.Event().wait()


async def _fails() -> None:
    raise ValueError("a defect")


async def _is_cancelled_by_what_it_waits_for() -> None:
    waited_for: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waited_for.cancel()
    await waited_for


@pytest.mark.parametrize("work", [_fails, _is_cancelled_by_what_it_waits_for])
async def test_a_task_that_ends_by_itself_is_named(work: object) -> None:
    """Whether it raised or was cancelled by something else, whoever watches is told."""
    tasks = Tasks()
    tasks.spawn("steady", _forever())
    tasks.spawn("faulty", work())  # type: ignore[operator]
    async with asyncio.timeout(5):
        assert await tasks.any_ended() == "faulty"
    await tasks.cancel()


async def test_tasks_that_are_cancelled_here_have_not_ended_by_themselves() -> None:
    """An orderly end is no defect."""
    tasks = Tasks()
    tasks.spawn("steady", _forever())
    ended = asyncio.create_task(tasks.any_ended())
    await asyncio.sleep(0)
    await tasks.cancel()
    await asyncio.sleep(0)
    assert not ended.done()
    ended.cancel()
