"""A clock that is set, forwards or back, keeps no watch waiting."""

import asyncio
from datetime import datetime, timedelta

import pytest

from receiver.polling.entry import WatchEntry
from receiver.polling.steadiness import ClockJumped

from .fakes import FakeShard
from .virtual import virtual
from .world import World, settings, start


class SetWorld(World):
    """A world whose clock can be set."""

    set_by = timedelta()

    def now(self) -> datetime:
        """Return the time as the clock tells it."""
        return super().now() + self.set_by


@virtual
@pytest.mark.parametrize("set_by", [timedelta(hours=-5), timedelta(minutes=-2), timedelta(days=1)])
async def test_a_set_clock_starts_the_shard_again_and_polling_goes_on(set_by: timedelta) -> None:
    """The shard begins again with what the clock says now, and asks as often as before."""
    world, shard = SetWorld(settings(poll_interval="60s")), FakeShard()
    world.provider.show("/a/thing/1", {"id": 1})
    polling = world.polling(shard)
    await polling.__aenter__()
    shard.send(start("1"))
    await asyncio.sleep(90.0)
    asked = len(world.provider.times("/a/thing/1"))
    world.set_by = set_by
    await asyncio.sleep(5.0)
    with pytest.raises(ClockJumped, match=r"set by [+-]\d+ seconds"):
        await polling.__aexit__(None, None, None)
    async with world.polling(FakeShard(shard.entries)):
        await asyncio.sleep(150.0)
    assert 2 <= len(world.provider.times("/a/thing/1")) - asked <= 4


@virtual
async def test_a_clock_that_drifts_a_little_is_left_alone() -> None:
    """Time servers correct clocks by seconds: that is no reason to begin again."""
    world, shard = SetWorld(settings(poll_interval="60s")), FakeShard()
    async with world.polling(shard):
        world.set_by = timedelta(seconds=-20)
        await asyncio.sleep(90.0)


def test_a_watch_waits_no_longer_than_the_pause_it_was_given() -> None:
    """An entry written by a clock that was hours ahead is due after its own pause from now."""
    ahead = WatchEntry(created_at=0.0, last_polled_at=20_000.0, next_poll_at=20_060.0)
    assert ahead.due_at(1_000.0) == 1_060.0
    assert ahead.due_at(20_010.0) == 20_060.0
    assert ahead.due_at(30_000.0) == 20_060.0
