"""What a shard keeps through Kafka's absence, lost sessions and restarts."""

import asyncio

import pytest

from handlers.provider import Ending
from receiver.shards.session import SessionLost

from .fakes import FakeShard
from .virtual import virtual
from .world import EPOCH, World, settings, start


@virtual
async def test_a_visit_that_the_inbox_did_not_take_is_made_again() -> None:
    """Nothing is committed while Kafka takes nothing, and nothing is lost.

    The provider is not asked more often for it than the account's settings say.
    """
    world, shard = World(settings(poll_interval="60s")), FakeShard()
    world.provider.show("/a/thing/1", {"id": 1})
    world.inbox.durable = False
    async with world.polling(shard):
        shard.send(start("1"))
        await asyncio.sleep(590.0)
        entry = shard.watch("a/thing/1")
        assert entry is not None
        assert (entry.seen, entry.last_polled_at) == (b"", None)
        assert 9 <= len(world.provider.times("/a/thing/1")) <= 10
        world.inbox.durable = True
        await asyncio.sleep(65.0)
    assert world.inbox.bodies() == ['{"id":1}']


@virtual
async def test_a_lost_session_ends_the_shard_and_all_its_visits() -> None:
    """The error goes to whoever starts the shard again; no visit is left behind."""
    world, shard = World(), FakeShard()
    world.provider.show("/a/thing/1", seconds=1_000.0)
    polling = world.polling(shard)
    await polling.__aenter__()
    shard.send(start("1"))
    await asyncio.sleep(10.0)
    assert world.provider.under_way == 1
    shard.lost = True
    await asyncio.sleep(120.0)
    with pytest.raises(SessionLost):
        await polling.__aexit__(None, None, None)
    assert world.provider.under_way == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


@virtual
async def test_the_position_passes_markers_that_nothing_follows() -> None:
    """Once they were deleted, a position before them would look like records never handled."""
    world, shard = World(), FakeShard()
    async with world.polling(shard):
        shard.send(start("1"))
        await asyncio.sleep(10.0)
        shard.mark()
        await asyncio.sleep(10.0)
    assert shard.position.offset == 2


@virtual
async def test_a_shard_that_ends_takes_its_alarms_along() -> None:
    """Another process may own the accounts now: what was wrong is not ours to tell any more."""
    world, shard = World(settings("a"), settings("b")), FakeShard()
    world.provider.show("/a/root/all", status=503)
    world.provider.show("/b/thing/1", ending=Ending.STALLED)
    async with world.polling(shard):
        shard.send(start("1", account="b"))
        await asyncio.sleep(10.0)
        assert world.codes() == {("a", "provider-away"), ("b", "watch-stalled")}
    assert world.codes() == set()


@virtual
async def test_a_restart_goes_on_where_it_was_and_emits_nothing_again() -> None:
    """A new owner of the same entries keeps every watch's time, and knows what was seen."""
    world, shard = World(settings(poll_interval="10m")), FakeShard()
    world.provider.show("/a/root/all", found={"1": 1.0, "2": 1.0})
    world.provider.show("/a/thing/1", {"id": 1})
    world.provider.show("/a/thing/2", {"id": 2})
    async with world.polling(shard):
        await asyncio.sleep(5.0)
    assert len(world.inbox.appended) == 2
    due = {key: shard.watch(f"a/thing/{key}") for key in ("1", "2")}
    world.provider.calls.clear()
    async with world.polling(FakeShard(shard.entries)):
        await asyncio.sleep(530.0)
        assert world.provider.calls == []
        await asyncio.sleep(140.0)
    for key, entry in due.items():
        assert entry is not None
        (visited,) = world.provider.times(f"/a/thing/{key}")
        assert visited == pytest.approx(entry.next_poll_at - EPOCH.timestamp(), abs=0.01)
    assert len(world.inbox.appended) == 2


@virtual
async def test_slow_commits_lose_nothing() -> None:
    """What happens while a transaction is under way counts in the next one."""
    world = World(settings(poll_interval="1s", concurrency=4))
    shard = FakeShard(commit_seconds=0.7)
    async with world.polling(shard):
        for n in range(30):
            world.provider.show(f"/a/thing/{n}", {"id": n}, seconds=0.2)
            shard.send(start(str(n)))
            await asyncio.sleep(0.3)
        await asyncio.sleep(60.0)
    assert sorted(world.inbox.bodies()) == sorted(f'{{"id":{n}}}' for n in range(30))
    assert shard.position.offset == 30
    for n in range(30):
        entry = shard.watch(f"a/thing/{n}")
        assert entry is not None
        assert entry.last_polled_at is not None
        assert world.timestamp() - entry.last_polled_at < 10.0
