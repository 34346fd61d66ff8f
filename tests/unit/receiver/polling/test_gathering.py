"""When visits are committed: what shows nothing new is gathered, and all else is at once."""

import asyncio

from receiver.observability.alarms import Alarms
from receiver.polling.entry import WatchEntry
from receiver.polling.watchlist import Watchlist

from .fakes import FakeShard
from .virtual import virtual
from .world import EPOCH, World, settings, start

THING = "a/thing/0"
PATH = f"/{THING}"
MOMENT = 0.05
"""Seconds in which a commit that waits for nothing is made."""


async def next_visit(world: World) -> None:
    """Wait until the thing 0 is asked for again, and a moment more."""
    asked = len(world.provider.times(PATH))
    while len(world.provider.times(PATH)) == asked:  # noqa: ASYNC110 - virtual time costs nothing
        await asyncio.sleep(0.01)
    await asyncio.sleep(MOMENT)


async def unchanging(world: World, shard: FakeShard, things: int) -> None:
    """Have so many things watched that never change, and each visited once."""
    for number in range(things):
        world.provider.show(f"/a/thing/{number}", {"id": number})
        shard.send(start(str(number)))
    await asyncio.sleep(5.0)


@virtual
async def test_visits_that_show_nothing_new_are_committed_together() -> None:
    """Hundreds of them in a minute are two transactions a second at most, and all are there."""
    world, shard = World(settings(poll_interval="5s")), FakeShard()
    async with world.polling(shard):
        await unchanging(world, shard, 50)
        shard.commits.clear()
        visits = len(world.provider.calls)
        await asyncio.sleep(60.0)
        assert len(world.provider.calls) - visits > 500
        assert len(shard.commits) <= 121
        for number in range(50):
            entry = shard.watch(f"a/thing/{number}")
            assert entry is not None
            assert world.timestamp() - (entry.last_polled_at or 0.0) < 5.0 * 1.1 + 1.0


@virtual
async def test_news_are_committed_at_once() -> None:
    """What was handed on would be handed on again, if the shard ended before."""
    world, shard = World(settings(poll_interval="10s", concurrency=4)), FakeShard()
    async with world.polling(shard):
        await unchanging(world, shard, 1)
        world.provider.show(PATH, {"id": 0, "changed": True})
        await next_visit(world)
        assert len(world.inbox.appended) == 2
        entry = shard.watch(THING)
        assert entry is not None
        assert (entry.last_polled_at or 0.0) >= world.timestamp() - 2 * MOMENT


@virtual
async def test_a_failure_is_committed_at_once() -> None:
    """Whoever comes after must know that the provider is to be left in peace."""
    world, shard = World(settings(poll_interval="10s", concurrency=4)), FakeShard()
    async with world.polling(shard):
        await unchanging(world, shard, 1)
        world.provider.show(PATH, status=500)
        await next_visit(world)
        entry = shard.watch(THING)
        assert entry is not None
        assert entry.failures == 1


@virtual
async def test_calls_of_a_small_budget_are_committed_at_once() -> None:
    """An heir may not know of a tenth of the budget, or as many as are under way: not of more."""
    small = settings(poll_interval="5s", calls=10, calls_per="20s", concurrency=2)
    world, shard = World(small), FakeShard()
    async with world.polling(shard):
        await unchanging(world, shard, 1)
        for _ in range(5):
            await next_visit(world)
            entry = shard.watch(THING)
            assert entry is not None
            assert (entry.last_polled_at or 0.0) >= world.timestamp() - 2 * MOMENT


async def test_restoring_a_large_table_lets_others_go_on() -> None:
    """Webhooks are answered, and the group hears of us, while very many watches are scheduled."""
    now = EPOCH.timestamp()
    entry = WatchEntry(now - 60.0, now, last_polled_at=now - 60.0).encode()
    shard = FakeShard({f"a/thing/{number}".encode(): entry for number in range(20_000)})
    watchlist = Watchlist(shard, Alarms(lambda: EPOCH))
    restoring = asyncio.create_task(watchlist.restore(now))
    turns = 0
    while not restoring.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 10
    taken = 0
    while watchlist.take_due(now) is not None:
        taken += 1
    assert taken == 20_000
