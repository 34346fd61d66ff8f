"""A shard's polling: each watch at its own time, and nobody held up by anybody else."""

import asyncio
from itertools import pairwise

import pytest

from receiver.polling.watchlist import is_note
from receiver.watches.requests import StopWatch

from .fakes import FakeShard
from .virtual import virtual
from .world import EPOCH, World, settings, start


def intervals(times: list[float]) -> list[float]:
    """Return what is between the times."""
    return [later - earlier for earlier, later in pairwise(times)]


@virtual
async def test_each_watch_is_visited_at_its_own_time() -> None:
    """Over an hour each goes at its account's interval and its own pace."""
    world, shard = (
        World(settings("a", poll_interval="60s"), settings("b", poll_interval="5m")),
        FakeShard(),
    )
    world.provider.show("/a/thing/slow", pace=10.0)
    async with world.polling(shard):
        shard.send(start("1"), start("slow"), start("1", account="b"))
        await asyncio.sleep(3_600.0)
    for path, shortest, longest in (
        ("/a/thing/1", 54.0, 66.1),
        ("/a/thing/slow", 540.0, 660.1),
        ("/b/thing/1", 270.0, 330.1),
        ("/a/root/all", 54.0, 66.1),
    ):
        pauses = intervals(world.provider.times(path))
        assert len(pauses) >= 3_600 / longest - 1
        assert all(shortest <= pause <= longest for pause in pauses), path
    assert len({round(at, 3) for at in world.provider.times("/a/thing/1")}) > 50


@virtual
async def test_every_account_has_its_own_first_watches() -> None:
    """The watches that a provider's accounts begin with are there at once, and only once."""
    world, shard = World(settings("a"), settings("b")), FakeShard()
    async with world.polling(shard):
        await asyncio.sleep(1.0)
    watches = {key for key in shard.entries if not is_note(key.decode())}
    assert watches == {b"a/root/all", b"b/root/all"}
    assert sorted(account for _, account, _ in world.provider.calls) == ["a", "b"]


@virtual
async def test_how_providers_are_asked_is_told_while_the_shard_runs() -> None:
    """The calls of the last period and the last good answer; nothing once another has the shard."""
    world = World(settings("a", calls=60, calls_per="1h", poll_interval="60s"), settings("b"))
    async with world.polling(FakeShard()) as poller:
        await asyncio.sleep(200.0)
        asked = poller.asked()
    assert asked.keys() == {"a", "b"}
    made = world.provider.times("/a/root/all")
    assert (asked["a"].calls_used, asked["a"].calls_allowed) == (len(made), 60)
    assert asked["a"].answered_at == pytest.approx(EPOCH.timestamp() + made[-1], abs=0.1)
    assert (asked["a"].failures, asked["a"].stopped) == (0, None)
    assert poller.asked() == {}


@virtual
async def test_what_a_watch_finds_is_watched() -> None:
    """A discovered watch is visited at once, then at its own time."""
    world, shard = World(), FakeShard()
    async with world.polling(shard):
        await asyncio.sleep(100.0)
        world.provider.show("/a/root/all", found={"7": 1.0})
        await asyncio.sleep(100.0)
    first = world.provider.times("/a/thing/7")[0]
    assert any(0 <= first - root < 0.1 for root in world.provider.times("/a/root/all"))
    assert shard.watch("a/thing/7") is not None


@virtual
async def test_what_finds_a_watch_sets_its_pace() -> None:
    """A watch that is found anew at another pace goes at that one, and forgets nothing."""
    world, shard = World(settings(poll_interval="60s")), FakeShard()
    world.provider.show("/a/root/all", found={"7": 1.0})
    world.provider.show("/a/thing/7", {"id": 7})
    async with world.polling(shard):
        await asyncio.sleep(300.0)
        assert len(world.provider.times("/a/thing/7")) >= 4
        world.provider.show("/a/root/all", found={"7": 10.0})
        await asyncio.sleep(120.0)
        world.provider.calls.clear()
        await asyncio.sleep(1_200.0)
    assert 1 <= len(world.provider.times("/a/thing/7")) <= 3
    assert world.inbox.bodies() == ['{"id":7}']


@virtual
async def test_an_account_has_no_more_visits_at_once_than_it_allows() -> None:
    """Twenty watches due together are visited three at a time, and all of them."""
    world, shard = World(settings(concurrency=3)), FakeShard()
    for n in range(20):
        world.provider.show(f"/a/thing/{n}", seconds=1.0)
    async with world.polling(shard):
        shard.send(*(start(str(n)) for n in range(20)))
        await asyncio.sleep(8.0)
    assert world.provider.most_under_way == 3
    assert all(world.provider.times(f"/a/thing/{n}") for n in range(20))


@virtual
async def test_a_slow_account_holds_up_nobody_else() -> None:
    """While all visits of one account hang, the others' go on."""
    world, shard = World(settings("a", concurrency=2), settings("b")), FakeShard()
    for n in range(4):
        world.provider.show(f"/a/thing/{n}", seconds=1_000.0)
    async with world.polling(shard):
        shard.send(*(start(str(n)) for n in range(4)), start("1", account="b"))
        await asyncio.sleep(600.0)
    assert len(world.provider.times("/b/thing/1")) >= 9


@virtual
async def test_a_watch_is_never_visited_twice_at_once() -> None:
    """Nothing that happens during a visit, however long it takes, begins a second one."""
    world, shard = World(settings(poll_interval="10s", concurrency=8)), FakeShard()
    world.provider.show("/a/root/all", found={"1": 1.0})
    world.provider.show("/a/thing/1", seconds=200.0)
    async with world.polling(shard):
        await asyncio.sleep(50.0)
        shard.send(start("1"))
        world.accounts.replace({"a": settings(poll_interval="11s", concurrency=8)})
        await asyncio.sleep(50.0)
        shard.send(StopWatch("a", "thing", "1"), start("1"))
        await asyncio.sleep(50.0)
        assert len(world.provider.times("/a/thing/1")) == 1
        await asyncio.sleep(100.0)
        assert len(world.provider.times("/a/thing/1")) == 2


@virtual
async def test_a_dead_watch_does_not_stop_the_rest() -> None:
    """One that always fails goes ever more slowly; its neighbours go on as if nothing was."""
    world, shard = World(settings(poll_interval="10s", backoff_max="5m")), FakeShard()
    world.provider.show("/a/thing/dead", status=500)
    async with world.polling(shard):
        shard.send(start("dead"), start("alive"))
        await asyncio.sleep(3_600.0)
    assert len(world.provider.times("/a/thing/alive")) >= 320
    assert len(world.provider.times("/a/thing/dead")) < 60
    assert max(intervals(world.provider.times("/a/thing/dead"))) > 60.0
    assert world.codes() == set()
    dead = shard.watch("a/thing/dead")
    assert dead is not None
    assert (dead.error, dead.state) == ("500", "active")


@virtual
async def test_the_breaker_stops_its_account_alone() -> None:
    """While an account rests nothing of it is called; then one visit tries, then all go on."""
    world = World(
        settings("a", poll_interval="10s", backoff_max="5m"), settings("b", poll_interval="10s")
    )
    shard = FakeShard()
    async with world.polling(shard):
        shard.send(*(start(str(n)) for n in range(5)), start("1", account="b"))
        await asyncio.sleep(30.0)
        for path in ("root/all", *(f"thing/{n}" for n in range(5))):
            world.provider.show(f"/a/{path}", status=401, seconds=0.5)
        await asyncio.sleep(30.0)
        assert world.codes() == {("a", "credentials-refused")}
        before = len([1 for _, account, _ in world.provider.calls if account == "a"])
        await asyncio.sleep(900.0)
        during = [at for at, account, _ in world.provider.calls if account == "a"][before:]
        assert len(during) == 3
        assert all(295.0 < pause < 305.0 for pause in intervals(during))
        for path in ("root/all", *(f"thing/{n}" for n in range(5))):
            world.provider.show(f"/a/{path}")
        await asyncio.sleep(400.0)
        assert world.codes() == set()
    assert len(world.provider.times("/b/thing/1")) > 120
    assert all(world.provider.times(f"/a/thing/{n}")[-1] > 1_350.0 for n in range(5))
