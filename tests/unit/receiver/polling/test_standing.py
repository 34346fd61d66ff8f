"""What an account has spent and suffered survives whoever polls it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr

from config.account import AccountSettings
from receiver.polling.standing import Standing, standing_key

from .fakes import FakeShard
from .virtual import virtual
from .world import EPOCH, World, look_up, settings, start

REFUSED = ("a", "credentials-refused")


class Secretive(AccountSettings):
    """A scripted account that signs in with a key."""

    key: SecretStr

    def credentials(self) -> tuple[str, ...]:
        """The key."""
        return (self.key.get_secret_value(),)


def secretive(key: str = "k", poll_interval: str = "1m") -> Secretive:
    """Return the settings of an account with a key."""
    return Secretive.model_validate(
        {**settings(poll_interval=poll_interval).model_dump(), "key": key}
    )


def standing(shard: FakeShard) -> Standing:
    """Return the committed standing of the account."""
    return Standing.decode(shard.entries[standing_key("a").encode()])


@virtual
async def test_an_heir_spends_only_what_is_left() -> None:
    """The calls of the process before count for their hour, and then no more."""
    account = settings(calls=400, calls_per="1h", poll_interval="10s")
    world, shard = World(account), FakeShard()
    async with world.polling(shard):
        await asyncio.sleep(3_000.0)
    first = len(world.provider.calls)
    assert 250 < first < 350
    async with world.heir(account).polling(FakeShard(shard.entries)):
        shard.send()
        await asyncio.sleep(590.0)
        assert len(world.provider.calls) <= 400
    busy = settings(calls=400, calls_per="1h", poll_interval="1s")
    async with world.heir(busy).polling(FakeShard(shard.entries)):
        await asyncio.sleep(3_600.0)
    times = [at for at, _, _ in world.provider.calls]
    assert all(
        later - earlier > 3_599.0 for earlier, later in zip(times, times[400:], strict=False)
    )
    assert len(times) > 600


@virtual
async def test_where_calls_are_few_each_is_committed_before_it_is_made() -> None:
    """A process that dies in the middle of a visit takes no call with it that nobody knows of."""
    world, shard = World(settings(calls=3, calls_per="1h")), FakeShard(commit_seconds=2.0)
    world.provider.show("/a/root/all", seconds=100.0)
    async with world.polling(shard):
        await asyncio.sleep(3.0)
        assert world.provider.calls == []
        await asyncio.sleep(3.0)
        assert len(world.provider.calls) == 1
        assert sum(count for _, count in standing(shard).spent) == 1


@virtual
async def test_a_call_that_cannot_be_committed_is_not_made() -> None:
    """Whoever has lost the account to another process calls no more."""
    world, shard = World(settings(calls=3, calls_per="1h")), FakeShard(commit_seconds=2.0)
    polling = world.polling(shard)
    await polling.__aenter__()
    await asyncio.sleep(3.0)
    shard.lost = True
    await asyncio.sleep(100.0)
    with pytest.raises(Exception, match="the session is lost"):
        await polling.__aexit__(None, None, None)
    assert world.provider.calls == []


@virtual
async def test_a_clock_that_was_set_forwards_buys_no_calls() -> None:
    """The process itself knows what it has spent, whatever the standing seems to say then."""
    account = settings(calls=5, calls_per="1h")
    world, shard = World(account), FakeShard()
    async with world.polling(shard):
        shard.send(*(start(str(n)) for n in range(9)))
        await asyncio.sleep(60.0)
    assert len(world.provider.calls) == 5
    set_by = timedelta(hours=5)
    ahead = world.heir(account)
    ahead.visits = replace(
        ahead.visits, owned=world.visits.owned, clock=lambda: world.now() + set_by
    )
    async with ahead.polling(FakeShard(shard.entries)):
        await asyncio.sleep(3_000.0)
        assert len(world.provider.calls) == 5


@virtual
async def test_an_heir_keeps_the_pause_after_failures() -> None:
    """A restart is no reason to call a provider that fails, nor to forget how often it did."""
    account = settings(backoff_min="10m", backoff_max="2h")
    world, shard = World(account), FakeShard()
    world.provider.show("/a/root/all", status=503)
    async with world.polling(shard):
        await asyncio.sleep(5_000.0)
    before, failures = len(world.provider.calls), standing(shard).failures
    assert failures == before >= 2
    until = standing(shard).open_until - EPOCH.timestamp()
    async with world.heir(account).polling(FakeShard(shard.entries)):
        await asyncio.sleep(until - asyncio.get_running_loop().time() - 1.0)
        assert len(world.provider.calls) == before
        await asyncio.sleep(3 * 3_600.0)
        assert len(world.provider.calls) > before
    assert standing(shard).failures > failures


@virtual
async def test_an_account_refused_for_good_is_called_no_more() -> None:
    """Not after any pause nor by an heir, who says so again; and the stop is committed at once."""
    world, shard = World(secretive()), FakeShard()
    world.provider.show("/a/root/all", status=403)
    async with world.polling(shard):
        await asyncio.sleep(1.0)
        assert standing(shard).stop is not None
        shard.send(look_up("1"), start("2"))
        await asyncio.sleep(3 * 3_600.0)
        (alarm,) = world.alarms.present
        assert (alarm.account, alarm.code) == REFUSED
        assert "CALLS HAVE STOPPED" in alarm.why
        assert "webhooks go on being received" in alarm.why
    assert world.codes() == set()
    other = world.heir(secretive(poll_interval="2m"))
    async with other.polling(FakeShard(shard.entries)):
        await asyncio.sleep(3 * 3_600.0)
        assert other.codes() == {REFUSED}
    assert len(world.provider.calls) == 1


@virtual
async def test_calls_go_on_when_the_credentials_change() -> None:
    """In the running process and in the next one; other settings change nothing."""
    world, shard = World(secretive()), FakeShard()
    world.provider.show("/a/root/all", status=403)
    async with world.polling(shard):
        await asyncio.sleep(10.0)
        world.accounts.replace({"a": secretive(poll_interval="2m")})
        await asyncio.sleep(3_600.0)
        assert len(world.provider.calls) == 1
        world.accounts.replace({"a": secretive("better")})
        await asyncio.sleep(10.0)
        assert len(world.provider.calls) == 2
        assert world.codes() == {REFUSED}
    world.provider.show("/a/root/all")
    other = world.heir(secretive("the best"))
    async with other.polling(FakeShard(shard.entries)):
        await asyncio.sleep(10.0)
        assert len(world.provider.calls) == 3
        assert other.codes() == set()
    assert standing(shard).stop is None


@virtual
async def test_a_standing_that_cannot_be_read_begins_anew() -> None:
    """The account is polled all the same."""
    world = World()
    shard = FakeShard({standing_key("a").encode(): b"\xc1"})
    async with world.polling(shard):
        await asyncio.sleep(10.0)
    assert len(world.provider.calls) == 1
    assert standing(shard).heard_at == pytest.approx(EPOCH.timestamp(), abs=0.1)


@virtual
async def test_uneventful_visits_share_a_standing() -> None:
    """Where the budget is large it is written every few seconds, and lacks no older call."""
    world, shard = World(settings(poll_interval="1s", calls_per="1h")), FakeShard()
    async with world.polling(shard):
        await asyncio.sleep(600.0)
        made, told = len(world.provider.calls), sum(count for _, count in standing(shard).spent)
    written = [changes for changes, _ in shard.commits if standing_key("a").encode() in changes]
    assert made > 500
    assert 80 < len(written) < 130
    assert made - 10 <= told <= made


@virtual
async def test_a_hundredth_of_the_budget_does_not_wait() -> None:
    """Visits that come fast are told of sooner, so that an heir cannot spend them again."""
    account = settings(poll_interval="1s", calls=200, calls_per="1m")
    world, shard = World(account), FakeShard()
    async with world.polling(shard):
        await asyncio.sleep(60.0)
        made, told = len(world.provider.calls), sum(count for _, count in standing(shard).spent)
    assert made > 50
    assert made - 3 <= told <= made
