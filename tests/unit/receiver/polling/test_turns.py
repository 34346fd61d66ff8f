"""Who goes first where an account's calls are fewer than what is due."""

import asyncio

import msgspec
import pytest

from handlers.provider import RECONCILIATION, Watch
from receiver.observability.alarms import Alarms
from receiver.polling.dispatch import Dispatch
from receiver.polling.entry import WatchEntry
from receiver.polling.keeper import Keeper
from receiver.polling.watchlist import Watchlist

from .fakes import FakeShard
from .virtual import virtual
from .world import EPOCH, World, look_up, settings

NOW = EPOCH.timestamp()
KEY = Watch("a", RECONCILIATION, "x").key
HOUR = 3_600.0


@pytest.fixture
def watchlist() -> Watchlist:
    """Return a watchlist whose one watch is due, and was taken."""
    shard = FakeShard({KEY.encode(): WatchEntry(NOW - 100.0, NOW).encode()})
    watchlist = Watchlist(shard, Alarms(lambda: EPOCH))
    asyncio.run(watchlist.restore(NOW))
    assert watchlist.take_due(NOW) == KEY
    return watchlist


def visited(watchlist: Watchlist, entry: WatchEntry | None) -> float:
    """End a visit that found a reason to come again only much later; return when it is due."""
    assert entry is not None
    after = msgspec.structs.replace(entry, last_polled_at=NOW + 60.0, next_poll_at=NOW + 9_000.0)
    watchlist.finish(KEY, entry, after)
    due = watchlist.schedule.next_at()
    assert due is not None
    return due


def test_what_was_hastened_while_it_waited_is_visited_once(watchlist: Watchlist) -> None:
    """Its visit has not begun: it sees all that there is to see."""
    watchlist.hasten("a", RECONCILIATION, NOW + 1.0)
    assert visited(watchlist, watchlist.begin(KEY)) == NOW + 9_000.0


def test_what_was_hastened_while_it_was_visited_is_visited_again(watchlist: Watchlist) -> None:
    """What the visit saw is older than the reason to look."""
    entry = watchlist.begin(KEY)
    watchlist.hasten("a", RECONCILIATION, NOW + 1.0)
    assert visited(watchlist, entry) == NOW


def window(name: str) -> Watch:
    """Return a part of the reconciliation."""
    return Watch("a", RECONCILIATION, name)


@virtual
async def test_after_a_sweep_the_newest_windows_are_read_first() -> None:
    """Those never read before all, although they came last; then by how often they are read."""
    shard = FakeShard()
    for name, pace in (("old", 900.0), ("older", 1_800.0), ("young", 15.0)):
        entry = WatchEntry(NOW - 9_000.0, NOW, last_polled_at=NOW - 8_000.0, pace=pace)
        shard.entries[window(name).key.encode()] = entry.encode()
    shard.entries[window("new").key.encode()] = WatchEntry(NOW, NOW).encode()
    world = World(settings(calls=1, calls_per="1m", concurrency=1, poll_interval="1h"))
    async with world.polling(shard):
        await asyncio.sleep(600.0)
    asked = [path.rpartition("/")[2] for _, _, path in world.provider.calls if "/recon" in path]
    assert asked[:4] == ["new", "young", "old", "older"]


@virtual
async def test_a_sweep_costs_no_second_visit_of_what_waits() -> None:
    """A window that waits for the account's calls when it is hastened is visited once."""
    world, shard = World(settings(calls=1, calls_per="9s", concurrency=1)), FakeShard()
    for name in ("first", "second"):
        entry = WatchEntry(NOW - 9_000.0, NOW, pace=900.0)
        shard.entries[window(name).key.encode()] = entry.encode()
    watchlist = Watchlist(shard, world.alarms)
    await watchlist.restore(NOW)
    keeper = Keeper(watchlist, world.visits.guard, world.alarms)
    dispatch = Dispatch(watchlist, world.visits, keeper, lambda: None)
    handler = world.accounts.get("a")
    assert handler is not None
    dispatch.serve(handler)
    dispatch.start_due(world.timestamp())
    await asyncio.sleep(1.0)
    dispatch.take_outcomes(world.timestamp())
    watchlist.hasten("a", RECONCILIATION, NOW)
    for _ in range(4):
        dispatch.start_due(world.timestamp())
        await asyncio.sleep(10.0)
        dispatch.take_outcomes(world.timestamp())
    assert len(world.provider.times("/a/reconciliation/second")) == 1
    await dispatch.end()


@virtual
async def test_claims_that_come_without_end_keep_no_root_waiting() -> None:
    """A claim a minute, and twelve calls an hour: every other call is for what is new."""
    world = World(settings(calls=12, calls_per="1h", concurrency=1))
    world.provider.show("/a/listing", *map(str, range(600)))
    shard = FakeShard()
    async with world.polling(shard):
        await asyncio.sleep(2 * HOUR)
        before = len(world.provider.times("/a/root/all"))
        for number in range(600):
            shard.send(look_up(str(number)))
            await asyncio.sleep(60.0)
        assert len(world.provider.times("/a/root/all")) - before >= 50
        assert len(world.provider.times("/a/listing")) >= 50


@virtual
async def test_many_claims_are_several_conversations() -> None:
    """What waits besides has its turn between them, and a failure costs the answers of one."""
    world, shard = World(settings(backoff_max="10s")), FakeShard()
    claims = [look_up(str(number)) for number in range(25)]
    world.provider.show("/a/listing", *map(str, range(25)))
    for claim in claims:
        entry = WatchEntry(NOW, NOW, claim=claim.claim, originals=(claim.original,))
        shard.entries[claim.watch.key.encode()] = entry.encode()
    async with world.polling(shard):
        await asyncio.sleep(60.0)
    assert len(world.provider.times("/a/listing")) == 3
    assert not any(shard.watch(claim.watch.key) for claim in claims)
