"""The connection between a worker and its supervisor."""

import asyncio

from receiver.workers.lifeline import Lifeline, LifelineHolder


async def test_a_worker_says_that_it_serves() -> None:
    """The supervisor hears it once."""
    holder = LifelineHolder()
    Lifeline(holder.theirs).tell_serving()
    assert await holder.serving()
    holder.close()


async def test_a_worker_says_that_it_drains() -> None:
    """That it serves, and that it does no more, are two things, however fast they follow."""
    holder = LifelineHolder()
    lifeline = Lifeline(holder.theirs)
    lifeline.tell_serving()
    lifeline.tell_stopping()
    assert await holder.serving()
    await holder.stopping()
    holder.close()


async def test_a_worker_that_drains_first_does_not_serve() -> None:
    """Told to end while it starts, it never says that it serves."""
    holder = LifelineHolder()
    Lifeline(holder.theirs).tell_stopping()
    assert not await holder.serving()
    holder.close()


async def test_a_worker_that_dies_first_does_not_serve() -> None:
    """Its end of the line closes with it."""
    holder = LifelineHolder()
    holder.theirs.close()
    assert not await holder.serving()
    holder.close()


async def test_a_worker_sees_that_it_is_to_end() -> None:
    """A line that is cut is the sign to drain; until then there is none."""
    holder = LifelineHolder()
    lifeline, ended = Lifeline(holder.theirs), asyncio.Event()
    lifeline.watch(ended.set)
    lifeline.tell_serving()
    await holder.serving()
    assert not ended.is_set()
    holder.cut()
    await ended.wait()
    assert lifeline.cut
    holder.close()


async def test_a_worker_sees_that_its_supervisor_is_gone() -> None:
    """A line whose other end is closed by a death looks the same."""
    holder = LifelineHolder()
    lifeline, ended = Lifeline(holder.theirs), asyncio.Event()
    lifeline.watch(ended.set)
    holder._ours.close()
    await ended.wait()
    lifeline.tell_serving()
    holder.theirs.close()
