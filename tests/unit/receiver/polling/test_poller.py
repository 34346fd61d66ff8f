"""A shard's polling: each watch at its own time, and nobody held up by anybody else."""

import asyncio
from itertools import pairwise

import pytest

from handlers.provider import Ending
from receiver.kafka.session import SessionLost
from receiver.watches import StopWatch

from .fakes import FakeShard
from .virtual import virtual
from .world import EPOCH, World, look_up, settings, start

LISTING = "/a/listing"


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
    assert set(shard.entries) == {b"a/root/all", b"b/root/all"}
    assert sorted(account for _, account, _ in world.provider.calls) == ["a", "b"]


@virtual
async def test_what_a_watch_finds_is_watched() -> None:
    """A discovered watch is visited at once, then at its own time."""
    world, shard = World(), FakeShard()
    async with world.polling(shard):
        await asyncio.sleep(100.0)
        world.provider.show("/a/root/all", found=["7"])
        await asyncio.sleep(100.0)
    first = world.provider.times("/a/thing/7")[0]
    assert any(0 <= first - root < 0.1 for root in world.provider.times("/a/root/all"))
    assert shard.watch("a/thing/7") is not None


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
    world.provider.show("/a/root/all", found=["1"])
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


@virtual
async def test_what_is_stopped_during_a_visit_does_not_come_back() -> None:
    """A visit under way does not bring a stopped watch back."""
    world, shard = World(), FakeShard()
    world.provider.show("/a/thing/1", {"id": 1}, seconds=10.0)
    async with world.polling(shard):
        shard.send(start("1"))
        await asyncio.sleep(5.0)
        shard.send(StopWatch("a", "thing", "1"))
        await asyncio.sleep(600.0)
    assert shard.watch("a/thing/1") is None
    assert len(world.provider.times("/a/thing/1")) == 1


@virtual
async def test_what_is_started_again_during_a_visit_is_a_new_watch() -> None:
    """The visit of the stopped watch does not count for the one that was started after it."""
    world, shard = World(), FakeShard()
    world.provider.show("/a/thing/1", ending=Ending.DONE, seconds=10.0)
    async with world.polling(shard):
        shard.send(start("1"))
        await asyncio.sleep(5.0)
        shard.send(StopWatch("a", "thing", "1"), start("1"))
        await asyncio.sleep(1.0)
        world.provider.show("/a/thing/1")
        await asyncio.sleep(10.0)
    again = shard.watch("a/thing/1")
    assert again is not None
    assert again.created_at == EPOCH.timestamp() + 5.0
    assert len(world.provider.times("/a/thing/1")) == 2


@virtual
async def test_an_observation_that_joins_a_look_up_under_way_is_not_lost() -> None:
    """It was not part of the question: the claim is asked again for it, and it gets its verdict."""
    world, shard = World(settings(poll_interval="60s")), FakeShard()
    world.provider.show(LISTING, seconds=10.0)
    async with world.polling(shard):
        shard.send(look_up("1", body='{"n":1}'))
        await asyncio.sleep(75.0)
        shard.send(look_up("1", body='{"n":2}'))
        await asyncio.sleep(400.0)
    refuted = [o.body for _, o in world.inbox.appended if o.verdict is not None]
    assert refuted == [b'{"n":1}', b'{"n":2}']
    assert {key for key in shard.entries if b"look-up" in key} == set()


@virtual
async def test_claims_that_wait_together_are_answered_by_one_listing() -> None:
    """Ten claims of one account take one call; the same claim twice is asked about once."""
    world, shard = World(), FakeShard()
    world.provider.show(LISTING, *(str(n) for n in range(10)))
    async with world.polling(shard):
        shard.send(*(look_up(str(n)) for n in range(10)), look_up("3", body='{"again":1}'))
        await asyncio.sleep(5.0)
    assert len(world.provider.times(LISTING)) == 1
    assert set(shard.entries) == {b"a/root/all"}


@virtual
async def test_a_visit_that_the_inbox_did_not_take_is_made_again() -> None:
    """Nothing is committed while Kafka takes nothing, and nothing is lost."""
    world, shard = World(), FakeShard()
    world.provider.show("/a/thing/1", {"id": 1})
    world.inbox.durable = False
    async with world.polling(shard):
        shard.send(start("1"))
        await asyncio.sleep(60.0)
        entry = shard.watch("a/thing/1")
        assert entry is not None
        assert (entry.seen, entry.last_polled_at) == (b"", None)
        assert len(world.provider.times("/a/thing/1")) > 20
        world.inbox.durable = True
        await asyncio.sleep(5.0)
    assert world.inbox.bodies() == ['{"id":1}']


@virtual
async def test_requests_and_how_far_they_were_handled_commit_together() -> None:
    """The position goes with the watches that the requests made; an odd record is passed over."""
    world, shard = World(), FakeShard()
    async with world.polling(shard):
        await asyncio.sleep(1.0)
        shard.send(b"not a request", start("1"), start("2"))
        await asyncio.sleep(1.0)
    (with_offset,) = [changes for changes, offset in shard.commits if offset is not None]
    assert shard.position.offset == 3
    assert {b"a/thing/1", b"a/thing/2"} <= set(with_offset)


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
    world.provider.show("/a/root/all", found=["1", "2"])
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
