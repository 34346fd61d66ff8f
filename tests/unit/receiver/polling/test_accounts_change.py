"""Accounts come, change and go while the poller runs."""

import asyncio

import pytest

from handlers.provider import Ending
from receiver.kafka.clients import partition_for
from receiver.polling.account import AccountPolling
from receiver.watches.requests import StopWatch, partition_key

from .fakes import FakeShard
from .virtual import virtual
from .world import World, look_up, settings, start


def called(world: World) -> set[str]:
    """Return the accounts that were called since the last time, and forget them."""
    accounts = {account for _, account, _ in world.provider.calls}
    world.provider.calls.clear()
    return accounts


@virtual
async def test_an_account_that_comes_is_polled() -> None:
    """A new account's watches begin within seconds, without a restart."""
    world, shard = World(settings("a")), FakeShard()
    async with world.polling(shard):
        await asyncio.sleep(100.0)
        assert called(world) == {"a"}
        world.accounts.replace({"a": settings("a"), "b": settings("b")})
        await asyncio.sleep(5.0)
        assert called(world) == {"b"}


@virtual
async def test_the_watches_of_an_account_that_goes_rest_until_it_comes_back() -> None:
    """Nothing is called for it, nothing of it is lost, and what is overdue is done at once."""
    world, shard = World(settings("a"), settings("b")), FakeShard()
    async with world.polling(shard):
        shard.send(start("1", account="b"))
        await asyncio.sleep(100.0)
        world.accounts.replace({"a": settings("a")})
        await asyncio.sleep(5.0)
        called(world)
        shard.send(look_up("9", account="b"))
        await asyncio.sleep(1_000.0)
        assert called(world) == {"a"}
        world.accounts.replace({"a": settings("a"), "b": settings("b")})
        await asyncio.sleep(5.0)
        paths = {path for _, account, path in world.provider.calls if account == "b"}
        assert paths == {"/b/root/all", "/b/thing/1", "/b/listing"}


@virtual
async def test_an_account_that_goes_is_forgotten_after_its_last_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call that was under way when it went is one of those."""
    world, shard = World(settings("a"), settings("b")), FakeShard()
    forgotten: list[tuple[float, str]] = []
    passed = asyncio.get_running_loop().time
    monkeypatch.setattr(world.caller, "forget", lambda name: forgotten.append((passed(), name)))
    world.provider.delays["/b/root/all"] = 30.0
    async with world.polling(shard):
        await asyncio.sleep(10.0)
        forgotten.clear()
        world.accounts.replace({"a": settings("a")})
        await asyncio.sleep(60.0)
        assert {name for _, name in forgotten} == {"b"}
        assert [at < 30.0 for at, _ in forgotten] == [True, False]


@virtual
async def test_what_is_stopped_while_its_account_is_away_stays_stopped() -> None:
    """A resting watch can be stopped like any other."""
    world, shard = World(settings("b")), FakeShard()
    async with world.polling(shard):
        shard.send(start("1", account="b"))
        await asyncio.sleep(10.0)
        world.accounts.replace({})
        await asyncio.sleep(100.0)
        shard.send(StopWatch("b", "thing", "1"))
        await asyncio.sleep(5.0)
        world.provider.calls.clear()
        world.accounts.replace({"b": settings("b")})
        await asyncio.sleep(100.0)
        assert "/b/thing/1" not in {path for _, _, path in world.provider.calls}


@virtual
async def test_a_change_starts_no_second_call_beside_one_under_way() -> None:
    """One call at a time is a promise to the provider, whatever becomes of the settings."""
    world, shard = World(settings("a", concurrency=1)), FakeShard()
    world.provider.show("/a/root/all", seconds=20.0)
    async with world.polling(shard):
        shard.send(start("1", account="a"))
        for number in range(10):
            await asyncio.sleep(7.0)
            world.accounts.replace({"a": settings("a", concurrency=1, calls=900 + number)})
        world.accounts.replace({})
        await asyncio.sleep(1.0)
        world.accounts.replace({"a": settings("a", concurrency=1)})
        await asyncio.sleep(100.0)
    assert world.provider.most_under_way == 1
    assert world.provider.times("/a/thing/1")


@virtual
async def test_a_changed_account_goes_on_with_its_new_settings() -> None:
    """A new interval counts from the next visit; the other accounts notice nothing."""
    world, shard = World(settings("a", poll_interval="10s"), settings("b")), FakeShard()
    async with world.polling(shard):
        await asyncio.sleep(100.0)
        assert len(world.provider.times("/a/root/all")) >= 9
        world.accounts.replace({"a": settings("a", poll_interval="60s"), "b": settings("b")})
        await asyncio.sleep(20.0)
        world.provider.calls.clear()
        await asyncio.sleep(600.0)
    assert 8 <= len(world.provider.times("/a/root/all")) <= 12
    assert 8 <= len(world.provider.times("/b/root/all")) <= 12


@virtual
async def test_mended_credentials_are_tried_at_once() -> None:
    """A changed account does not wait for the pause that its old settings earned."""
    world, shard = World(settings("a", backoff_max="1h")), FakeShard()
    world.provider.show("/a/root/all", status=401)
    async with world.polling(shard):
        shard.send(start("1"))
        await asyncio.sleep(60.0)
        assert world.codes() == {("a", "credentials-refused")}
        world.provider.show("/a/root/all")
        world.accounts.replace({"a": settings("a", backoff_max="2h")})
        await asyncio.sleep(75.0)
        assert world.codes() == set()
        assert world.provider.times("/a/thing/1")[-1] > 60.0


@virtual
async def test_a_change_elsewhere_does_not_shorten_a_pause() -> None:
    """An account that rests goes on resting, whatever happens to the others."""
    world, shard = World(settings("a"), settings("b", backoff_max="1h")), FakeShard()
    world.provider.show("/b/root/all", status=401)
    async with world.polling(shard):
        for second in range(60, 70):
            await asyncio.sleep(60.0)
            changed = settings("a", poll_interval=f"{second}s")
            world.accounts.replace({"a": changed, "b": settings("b", backoff_max="1h")})
    assert len(world.provider.times("/b/root/all")) == 1


@virtual
async def test_an_account_that_goes_takes_its_alarms_and_its_pause_along() -> None:
    """Nothing is wrong with an account that is no more, and nobody waits for it."""
    world, shard = World(settings("a"), settings("b", backoff_max="1h")), FakeShard()
    world.provider.show("/b/root/all", status=401)
    async with world.polling(shard):
        await asyncio.sleep(10.0)
        assert world.codes() == {("b", "credentials-refused")}
        shard.send(start("1", account="b"))
        await asyncio.sleep(10.0)
        world.accounts.replace({"a": settings("a")})
        await asyncio.sleep(10.0)
        assert world.codes() == set()
        called(world)
        await asyncio.sleep(7_200.0)
        assert called(world) == {"a"}
        assert world.codes() == set()


@virtual
async def test_the_last_visit_of_an_account_that_goes_alarms_nobody() -> None:
    """What was under way when the account went may fail, and nobody need look at it."""
    world, shard = World(settings("a"), settings("b")), FakeShard()
    world.provider.show("/b/root/all", status=401, seconds=100.0)
    async with world.polling(shard):
        await asyncio.sleep(50.0)
        world.accounts.replace({"a": settings("a")})
        await asyncio.sleep(200.0)
        assert world.codes() == set()


@virtual
async def test_stalled_watches_are_told_again_after_a_restart() -> None:
    """The alarm follows from the watchlist: it is over when the last of them is removed."""
    world, shard = World(), FakeShard()
    for name in ("1", "2"):
        world.provider.show(f"/a/thing/{name}", ending=Ending.STALLED)
    async with world.polling(shard):
        shard.send(start("1"), start("2"))
        await asyncio.sleep(5.0)
    again = FakeShard(shard.entries)
    async with world.polling(again):
        await asyncio.sleep(5.0)
        (alarm,) = world.alarms.present
        assert (alarm.code, alarm.why.split(",")[0]) == (
            "watch-stalled",
            "2 watches never reached their final state",
        )
        again.send(StopWatch("a", "thing", "1"))
        await asyncio.sleep(5.0)
        assert world.codes() == {("a", "watch-stalled")}
        again.send(StopWatch("a", "thing", "2"))
        await asyncio.sleep(5.0)
        assert world.codes() == set()


@virtual
async def test_each_account_is_polled_by_one_shard() -> None:
    """The shards of all partitions together begin each account's watches once."""
    names = [f"n{number}" for number in range(60)]
    world = World(*map(settings, names))
    for partition in range(4):
        shard = FakeShard(partition=partition, partitions=4)
        async with world.polling(shard):
            await asyncio.sleep(10.0)
        ours = {name for name in names if partition_for(partition_key(name), 4) == partition}
        assert {key.split(b"/")[0].decode() for key in shard.entries} == ours
        assert 5 < len(ours) < 30
    assert sorted(account for _, account, _ in world.provider.calls) == sorted(names)


@virtual
async def test_thousands_of_accounts_cost_only_what_is_done_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With 5,000 accounts a visit looks at its own account, not at all the others."""
    looks = 0
    original = AccountPolling.may_start

    def counted(account: AccountPolling, now: float) -> bool:
        nonlocal looks
        looks += 1
        return original(account, now)

    names = [f"n{number}" for number in range(5_000)]
    world = World(*(settings(name, poll_interval="10m") for name in names))
    shard = FakeShard(commit_seconds=0.01)
    monkeypatch.setattr(AccountPolling, "may_start", counted)
    async with world.polling(shard):
        await asyncio.sleep(1_800.0)
        visits = len(world.provider.calls)
        # One more, one less and one other must not cost five thousand visits either.
        changed = {n: settings(n, poll_interval="10m") for n in names[1:]}
        changed["n7"] = settings("n7", poll_interval="11m")
        world.accounts.replace({**changed, "new": settings("new")})
        await asyncio.sleep(5.0)
        assert len(world.provider.calls) - visits < 1_000
    assert 14_000 < visits < 21_000
    assert looks < 4 * visits
    assert len(shard.commits) <= visits


@virtual
async def test_a_changed_account_has_no_new_budget() -> None:
    """The provider counts on: neither a changed file nor one that was away buys calls."""
    world, shard = World(settings("a", calls=2, calls_per="1h")), FakeShard()
    async with world.polling(shard):
        for n in range(5):
            await asyncio.sleep(10.0)
            world.accounts.replace({})
            await asyncio.sleep(10.0)
            world.accounts.replace({"a": settings("a", calls=2, calls_per="1h", concurrency=n + 5)})
            shard.send(start(str(n)))
        await asyncio.sleep(10.0)
        assert len(world.provider.calls) == 2
        await asyncio.sleep(3_600.0)
    assert len(world.provider.calls) == 4
