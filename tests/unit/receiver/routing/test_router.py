"""The router: what one transaction writes for the inbox records it is made of."""

from datetime import timedelta
from typing import cast

import pytest
from msgspec.structs import replace

from handlers.letters import Reason
from handlers.observation import CONFIRMED, Origin
from receiver.inbox import MOST_BYTES
from receiver.kafka.clients import partition_for
from receiver.shards.open_shard import InputRecord
from receiver.watches.requests import LookUp, from_value
from tests.unit.receiver.routing.stage import (
    LARGEST_RECORD,
    NOW,
    TOPICS,
    World,
    header,
    inbox_record,
    observed,
)


async def test_what_comes_twice_in_one_transaction_is_published_once(world: World) -> None:
    """A record sees what those before it in the same batch have changed."""
    await world.route('{"id": "a"}', '{"id": "a"}', '{"id": "b"}')
    await world.route('{"id": "a"}')
    assert len(world.shard.events()) == 2


@pytest.mark.parametrize("transactions", [1, 2])
async def test_the_same_letter_is_counted_up(world: World, transactions: int) -> None:
    """The same refusal again is one letter with a count, in one transaction or in several."""
    refused = '{"refuse": "bad-field"}'
    if transactions == 1:
        await world.route(refused, refused)
    else:
        await world.route(refused)
        await world.route(refused)
    [letter] = world.shard.letters().values()
    assert header(letter, "payevents-count") == "2"


@pytest.mark.parametrize("body", ["not JSON", '{"fail": 1}', "{}", '{"refuse": "no-id"}'])
async def test_whatever_goes_wrong_is_a_letter_and_stops_nobody(world: World, body: str) -> None:
    """The observation is kept with its bytes and reason, and its neighbours become events."""
    await world.route('{"id": "a"}', body, '{"id": "b"}')
    [letter] = world.shard.letters().values()
    assert letter.value == body.encode()
    assert header(letter, "payevents-reason")
    assert len(world.shard.events()) == 2


async def test_an_account_that_is_gone_is_a_letter(world: World) -> None:
    """What came for an account that is not configured any more is kept, not dropped."""
    await world.route(replace(observed('{"id": "a"}'), account="gone"))
    [letter] = world.shard.letters().values()
    assert header(letter, "payevents-reason") == Reason.UNKNOWN_ACCOUNT


async def test_a_letter_goes_when_its_redrive_succeeds(world: World) -> None:
    """Its event is published, and the letter and its count are gone."""
    await world.route(replace(observed('{"id": "a"}'), account="gone"))
    [letter] = world.shard.letters()
    await world.redrive(letter, account="shop")
    assert world.shard.letters() == {}
    assert len(world.shard.events()) == 1
    assert not [key for key in world.shard.table if letter.encode() in key]


async def test_a_letter_stays_when_its_redrive_fails(world: World) -> None:
    """It is counted up, and can be redriven again: nothing of its tries sticks to it."""
    await world.route('{"refuse": "bad-field"}')
    [letter] = world.shard.letters()
    await world.redrive(letter)
    await world.redrive(letter)
    [(again, record)] = world.shard.letters().items()
    assert again == letter
    assert header(record, "payevents-count") == "3"
    names = [name for name, _ in record.headers]
    assert "payevents-letter-id" not in names
    assert len(names) == len(set(names))


async def test_a_redrive_that_waits_for_a_look_up_keeps_its_letter(world: World) -> None:
    """The letter's id travels with the look-up; its verdict decides about the letter."""
    claimed = observed('{"id": "a", "claim": true}')
    await world.route(replace(claimed, verdict="it is not"))
    [letter] = world.shard.letters()
    await world.redrive(letter, verdict=None)
    assert list(world.shard.letters()) == [letter]
    [request] = world.shard.written[TOPICS.watch_requests]
    [asked] = from_value(request.value or b"")
    assert isinstance(asked, LookUp)
    original = asked.original.observation()
    assert original.letter_id == letter
    await world.route(replace(original, verdict=CONFIRMED))
    assert world.shard.letters() == {}


async def test_what_others_wrote_to_the_inbox_is_a_letter(world: World) -> None:
    """A record without our headers, null values in them included, is kept and stops nobody."""
    headers = cast("list[tuple[str, bytes]]", [("payevents-account", None), ("x", b"y")])
    await world.route(InputRecord(0, None, b"hello", headers), '{"id": "a"}')
    [letter] = world.shard.letters().values()
    assert header(letter, "payevents-reason") == Reason.NOT_AN_OBSERVATION
    assert letter.value == b"hello"
    assert len(world.shard.events()) == 1


@pytest.mark.parametrize(
    "record",
    [
        InputRecord(0, b"key", bytes(LARGEST_RECORD), ()),
        InputRecord(0, bytes(LARGEST_RECORD // 2), b"", ()),
        InputRecord(0, b"key", b"", [("x", bytes(LARGEST_RECORD))]),
        InputRecord(0, b"key", bytes(MOST_BYTES + 1), observed("{}").headers()),
    ],
)
async def test_a_record_of_others_of_any_size_is_a_letter_that_fits(
    world: World, record: InputRecord
) -> None:
    """A letter that Kafka refuses for its size would hold the partition up for ever."""
    await world.route(record, '{"id": "a"}')
    [letter] = world.shard.letters().values()
    assert header(letter, "payevents-reason") == Reason.NOT_AN_OBSERVATION
    assert len(world.shard.events()) == 1


async def test_the_largest_observation_fits_whatever_becomes_of_it(world: World) -> None:
    """Its letter, and the look-up that carries its body, are each smaller than a record may be."""
    filler = "x" * (MOST_BYTES - 100)
    await world.route(
        f'{{"refuse": "bad-field", "filler": "{filler}"}}',
        f'{{"id": "a", "claim": true, "filler": "{filler}"}}',
    )
    assert len(world.shard.letters()) == 1
    assert len(world.shard.written[TOPICS.watch_requests]) == 1


@pytest.mark.parametrize(("origin", "told"), [(Origin.POLL, True), (Origin.WEBHOOK, False)])
async def test_a_live_read_that_denies_what_was_published_sounds_an_alarm(
    world: World, origin: Origin, told: bool
) -> None:
    """A payment that is gone again is a dead letter and an alarm; a replayed webhook is neither."""
    await world.route('{"id": "a", "paid": true}')
    later = NOW + timedelta(minutes=1)
    await world.route(replace(observed('{"id": "a"}'), origin=origin, received_at=later))
    reasons = [header(letter, "payevents-reason") for letter in world.shard.letters().values()]
    assert reasons == ([Reason.CONTRADICTS_LEDGER] if told else [])
    assert [alarm.code for alarm in world.alarms.present] == reasons
    assert len(world.shard.events()) == 2


def _elsewhere() -> InputRecord:
    """Return an observation that, of 64 partitions, does not belong into the first."""
    record = inbox_record('{"id": "a"}')
    assert partition_for(record.key or b"", 64) != 0
    return record


async def test_a_record_of_another_partition_is_handed_on_as_it_is(world: World) -> None:
    """It is appended at its home, in the same transaction, and nothing is made of it here."""
    world.shard.partitions_of_inbox = 64
    record = _elsewhere()
    numbers = (str(number).encode() for number in range(10_000))
    home_key = next(key for key in numbers if partition_for(key, 64) == 0)
    await world.route(record, replace(inbox_record('{"id": "b"}'), key=home_key))
    [forwarded] = world.shard.written[TOPICS.inbox]
    assert (forwarded.key, forwarded.value) == (record.key, record.value)
    assert forwarded.headers == list(record.headers)
    assert [event.key for event in world.shard.events()] == [b"scripted/shop/invoice/b"]


@pytest.mark.parametrize("key", [None, b""])
async def test_a_record_without_a_key_is_at_home_anywhere(world: World, key: bytes | None) -> None:
    """Nothing says where it would belong, so it is routed where it stands."""
    world.shard.partitions_of_inbox = 64
    await world.route(replace(_elsewhere(), key=key))
    assert len(world.shard.events()) == 1


async def test_a_record_too_large_to_be_handed_on_is_a_letter_where_it_is(world: World) -> None:
    """To append it again would be refused for ever."""
    world.shard.partitions_of_inbox = 64
    await world.route(replace(_elsewhere(), value=bytes(LARGEST_RECORD)))
    assert not world.shard.written[TOPICS.inbox]
    assert len(world.shard.letters()) == 1


async def test_the_position_passes_the_marker_of_what_was_handed_on(world: World) -> None:
    """Else its deletion, one retention later, would look like that of an unhandled record."""
    await world.route('{"id": "a"}')
    world.shard.mark()
    await world.route()
    assert world.shard.position.offset == 2


async def test_how_long_the_oldest_waited_is_told_of_each_transaction(world: World) -> None:
    """A dead letter that is tried again does not count: it waited for a person."""
    first = replace(observed('{"id": "a"}'), received_at=NOW - timedelta(seconds=7))
    await world.route(
        '{"id": "b"}', first, replace(observed('{"refuse": "no-id"}'), account="gone")
    )
    await world.redrive(next(iter(world.shard.letters())), received_at=NOW - timedelta(days=3))
    sample = world.router._metrics.registry.get_sample_value
    assert sample("payevents_routing_seconds_count") == 1
    assert sample("payevents_routing_seconds_sum") == 7
