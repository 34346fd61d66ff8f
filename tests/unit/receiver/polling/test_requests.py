"""Watches are started and stopped, and claims looked up, while the poller runs."""

import asyncio

import msgspec
import pytest

from handlers.provider import Ending
from receiver.kafka.clients import partition_for
from receiver.polling.entry import WatchEntry
from receiver.polling.watchlist import is_note
from receiver.watches.requests import LookUp, Original, StopWatch, partition_key, to_record

from .fakes import FakeShard
from .virtual import virtual
from .world import EPOCH, World, look_up, settings, start

LISTING = "/a/listing"


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
async def test_starting_a_known_watch_changes_nothing() -> None:
    """Registering the same again neither visits it earlier nor hands anything on again."""
    world, shard = World(settings(poll_interval="60s")), FakeShard()
    world.provider.show("/a/thing/1", {"id": 1})
    async with world.polling(shard):
        shard.send(start("1"))
        await asyncio.sleep(10.0)
        before = shard.watch("a/thing/1")
        shard.send(start("1"))
        await asyncio.sleep(10.0)
        assert shard.watch("a/thing/1") == before
        await asyncio.sleep(300.0)
    assert world.inbox.bodies() == ['{"id":1}']


@virtual
async def test_an_ended_watch_can_be_started_again() -> None:
    """What was gone is watched from the beginning when it is registered anew."""
    world, shard = World(settings(poll_interval="60s")), FakeShard()
    world.provider.show("/a/thing/1", ending=Ending.GONE)
    async with world.polling(shard):
        shard.send(start("1"))
        await asyncio.sleep(100.0)
        assert len(world.provider.times("/a/thing/1")) == 1
        world.provider.show("/a/thing/1", {"id": 1})
        shard.send(start("1"))
        await asyncio.sleep(10.0)
    assert world.inbox.bodies() == ['{"id":1}']
    again = shard.watch("a/thing/1")
    assert again is not None
    assert again.state == "active"


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


@pytest.mark.parametrize("joins_after", [5.0, 75.0])
def test_an_observation_that_joins_a_look_up_under_way_is_not_lost(joins_after: float) -> None:
    """Whether it joins the first asking or the last, it gets its verdict like the others."""

    @virtual
    async def scenario() -> None:
        world, shard = World(settings(poll_interval="60s")), FakeShard()
        world.provider.show(LISTING, seconds=10.0)
        async with world.polling(shard):
            shard.send(look_up("1", body='{"n":1}'))
            await asyncio.sleep(joins_after)
            shard.send(look_up("1", body='{"n":2}'))
            await asyncio.sleep(400.0)
        refuted = [o.body for _, o in world.inbox.appended if o.verdict is not None]
        assert refuted == [b'{"n":1}', b'{"n":2}']
        assert {key for key in shard.entries if b"look-up" in key} == set()

    scenario()


@virtual
async def test_a_look_up_fits_into_a_record_however_many_join_it() -> None:
    """What is more than a record holds gets its verdict at once; nothing vanishes."""
    world, shard = World(), FakeShard()
    world.provider.show(LISTING, status=503)
    async with world.polling(shard):
        shard.send(*(look_up("1", body=f'"{n}{"x" * 100_000}"') for n in range(10)))
        shard.send(*(look_up("2", body=f"{n}") for n in range(150)))
        await asyncio.sleep(5.0)
    assert shard.position.offset == 160
    assert max(map(len, shard.entries.values())) < 700_000
    given_up = [o.verdict for _, o in world.inbox.appended]
    assert given_up == ["too many others claim the same"] * (5 + 50)


@virtual
async def test_the_same_webhook_again_takes_no_room_in_a_look_up() -> None:
    """A delivery that is repeated has another request id and time, and says nothing new."""
    world, shard = World(), FakeShard()
    world.provider.show(LISTING, status=503)
    async with world.polling(shard):
        shard.send(*(again(look_up("1"), number) for number in range(150)))
        await asyncio.sleep(5.0)
    [entry] = [value for key, value in shard.entries.items() if b"look-up" in key]
    assert len(WatchEntry.decode(entry).originals) == 1
    assert world.inbox.appended == []


def again(request: LookUp, number: int) -> LookUp:
    """Return the look-up of the same webhook, delivered once more."""
    delivered = msgspec.structs.replace(
        request.original.observation(), request_id=f"request-{number}"
    )
    return msgspec.structs.replace(request, original=Original.of("key", delivered))


@virtual
async def test_claims_that_wait_together_are_answered_by_one_listing() -> None:
    """Ten claims of one account take one call; the same claim twice is asked about once."""
    world, shard = World(), FakeShard()
    world.provider.show(LISTING, *(str(n) for n in range(10)))
    async with world.polling(shard):
        shard.send(*(look_up(str(n)) for n in range(10)), look_up("3", body='{"again":1}'))
        await asyncio.sleep(5.0)
    assert len(world.provider.times(LISTING)) == 1
    assert {key for key in shard.entries if not is_note(key.decode())} == {b"a/root/all"}


@virtual
async def test_a_request_for_an_account_of_another_partition_is_handed_on() -> None:
    """It is appended where the account is polled, and no watch is started here."""
    home = partition_for(partition_key("a"), 8)
    world, shard = World(), FakeShard(partition=(home + 1) % 8, partitions=8)
    async with world.polling(shard):
        shard.send(start("1"))
        await asyncio.sleep(1.0)
    assert shard.forwarded == [(("requests", home), to_record(start("1")).value)]
    assert shard.watch("a/thing/1") is None
    assert shard.position.offset == 1
