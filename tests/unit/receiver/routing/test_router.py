"""The router: what one transaction writes for the inbox records it is made of."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from config.account import AccountSettings
from config.topics import Topics
from handlers.fact import Claim, Fact, Interpretation, Reading, Uninterpretable
from handlers.jsontext import parse_object
from handlers.letters import Reason
from handlers.observation import CONFIRMED, Observation, Origin
from handlers.provider import BaseHandler
from handlers.resource import ResourceKey
from receiver.accounts.registry import Accounts
from receiver.inbox import MOST_BYTES
from receiver.kafka.clients import partition_for
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.routing.route import Route
from receiver.routing.router import Router
from receiver.shards.open_shard import BACKLOG, InputRecord, OpenShard, ShardSpec
from receiver.shards.pacing import APART, Pacing
from receiver.shards.session import Batches, Writable
from receiver.shards.table import InputPosition
from receiver.watches.requests import LookUp, from_value

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = Topics.named("", ())
LARGEST_RECORD = 1 << 20
"""Bytes that a broker takes in one batch unless it is told otherwise."""


class Scripted(BaseHandler):
    """Reads bodies that say what to make of them."""

    def interpret(self, observation: Observation) -> Interpretation:
        """Return what the body asks for: an id of an invoice, a refusal, a claim or a defect."""
        said = parse_object(observation.body)
        if "refuse" in said:
            raise Uninterpretable(Reason(str(said["refuse"])), "as the body says")
        if "fail" in said:
            raise RuntimeError("a defect of the provider's code")
        resource = ResourceKey("scripted", "shop", "invoice", str(said["id"]))
        if "claim" in said:
            paid = Fact(resource, "paid")
            return Interpretation(claim=Claim("invoice", "paid", "id", resource.id, paid))
        created = Fact(resource, "created")
        if said.get("paid"):
            return Interpretation(Reading(resource, (created, Fact(resource, "paid"))))
        return Interpretation(Reading(resource, (created,), denied=frozenset({"paid"})))

    def can_look_up(self, claim: Claim) -> bool:
        """Say yes."""
        return bool(claim)


class Partition(OpenShard):
    """A shard in memory: hands out what it is given and keeps what is committed."""

    def __init__(self) -> None:
        self.spec = ShardSpec("route", "app", TOPICS.inbox, TOPICS.ledger)
        self.partition = 0
        self.partitions_of_inbox = 1
        self.table: dict[bytes, bytes] = {}
        self.written: defaultdict[str, list[Writable]] = defaultdict(list)
        self._inbox: list[InputRecord] = []
        self._next = 0
        self._handled = 0
        self._has_backlog = False
        self._ends_in_marker = False

    @property
    def entries(self) -> Mapping[bytes, bytes]:
        """Return the table as committed."""
        return self.table

    @property
    def position(self) -> InputPosition:
        """Return how far the inbox is handled, and how many partitions it has."""
        return InputPosition(self._handled, self.partitions_of_inbox, self.partitions_of_inbox)

    @property
    def reached(self) -> int:
        """Return the offset after all that was fetched."""
        return self._next

    async def fetch(self, *, wait: float, limit: int) -> Sequence[InputRecord]:
        """Return all there is, once; then end the router's work."""
        del wait, limit
        if not self._inbox and not self._ends_in_marker:
            raise EndOfInbox
        fetched, self._inbox, self._ends_in_marker = self._inbox, [], False
        self._has_backlog = len(fetched) >= BACKLOG
        return fetched

    async def partitions(self, topic: str) -> int:
        """Return one partition for every topic."""
        return len([topic])

    async def commit(
        self,
        changes: Mapping[bytes, bytes | None],
        *,
        outputs: Batches | None = None,
        offset: int | None = None,
    ) -> None:
        """Take all of it."""
        assert offset in {None, self._next}
        self._handled = self._handled if offset is None else offset
        for (topic, partition), records in (outputs or {}).items():
            assert (partition != 0) == (topic == TOPICS.inbox)
            for record in records:
                assert (
                    len(record.key) + len(record.value or b"") + headers_of(record) < LARGEST_RECORD
                )
                self.written[topic].append(record)
        for key, value in changes.items():
            if value is None:
                self.table.pop(key, None)
            else:
                self.table[key] = value

    def put(self, record: InputRecord) -> None:
        """Have the next fetch return this too."""
        self._inbox.append(replace(record, offset=self._next))
        self._next += 1

    def mark(self) -> None:
        """End a transaction: a marker takes an offset, and no fetch returns it."""
        self._next += 1
        self._ends_in_marker = True

    def events(self) -> list[Writable]:
        """Return the events so far."""
        return [record for topic in TOPICS.events for record in self.written[topic]]

    def letters(self) -> dict[str, Writable]:
        """Return the dead letters that are there now."""
        left: dict[str, Writable] = {}
        for record in self.written[TOPICS.dead_letters]:
            if record.value is None:
                left.pop(record.key.decode(), None)
            else:
                left[record.key.decode()] = record
        return left


def _settings() -> AccountSettings:
    given = {"name": "shop", "provider": "scripted", "base_url": "http://127.0.0.1:1"}
    return AccountSettings.model_validate(given)


class EndOfInbox(Exception):
    """Everything was routed."""


@dataclass
class World:
    """A router over a partition in memory."""

    shard: Partition
    router: Router
    alarms: Alarms

    async def route(self, *bodies: str | Observation | InputRecord) -> None:
        """Route these in one transaction."""
        for body in bodies:
            self.shard.put(body if isinstance(body, InputRecord) else inbox_record(body))
        with pytest.raises(EndOfInbox):
            await self.router.work(self.shard)

    async def redrive(self, letter: str, **changed: Any) -> None:
        """Route a dead letter's observation again, as a redrive sends it."""
        record = self.shard.letters()[letter]
        observation = Observation.from_record(record.headers, record.value or b"")
        await self.route(replace(observation, letter_id=letter, **changed))


@pytest.fixture
def world() -> World:
    """Return a world with the one account "shop"."""
    handler = Scripted(_settings())
    accounts = SimpleNamespace(get=lambda name: handler if name == "shop" else None)
    alarms = Alarms(lambda: NOW)
    metrics = Metrics(alarms)
    route = Route(cast("Accounts", accounts), TOPICS)
    router = Router(route, TOPICS, metrics, alarms, lambda: NOW)
    return World(Partition(), router, alarms)


def observed(body: str) -> Observation:
    """Return a webhook's observation."""
    return Observation("shop", Origin.WEBHOOK, "topic", NOW, body.encode())


def inbox_record(said: str | Observation) -> InputRecord:
    """Return it as it stands in the inbox."""
    observation = observed(said) if isinstance(said, str) else said
    return InputRecord(0, b"key", observation.body, observation.headers())


def header(record: Writable, name: str) -> str:
    """Return a header's text."""
    return dict(record.headers)[name].decode()


def headers_of(record: Writable) -> int:
    """Return the size of a record's headers, in bytes."""
    return sum(len(name) + len(value or b"") for name, value in record.headers)


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
    asked = from_value(request.value or b"")
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


async def test_a_backlog_lets_others_have_their_turn(world: World) -> None:
    """A webhook that comes while thousands of observations are routed is not kept waiting."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    await world.route(*(f'{{"id": "{number}"}}' for number in range(1000)))
    waiting.cancel()
    assert turns >= 9
    assert len(world.shard.events()) == 1000


async def test_a_shard_waits_for_its_turn_after_a_small_transaction(world: World) -> None:
    """It asks for more when others that share the process had theirs; a lone record never waits."""
    fetched: list[float] = []
    fetch = world.shard.fetch

    async def noted(*, wait: float, limit: int) -> Sequence[InputRecord]:
        fetched.append(asyncio.get_running_loop().time())
        return await fetch(wait=wait, limit=limit)

    world.shard.fetch = noted  # type: ignore[method-assign]
    await world.route('{"id": "a"}')
    before, after = fetched
    assert after - before >= APART


async def test_a_backlog_waits_for_no_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is worth transactions one after another."""

    def rest(pacing: Pacing, now: float) -> float:
        pytest.fail(f"a shard was to rest at {now} by {pacing}")

    monkeypatch.setattr(Pacing, "rest", rest)
    await world.route(*['{"id": "a"}'] * BACKLOG)
    assert len(world.shard.events()) == 1


async def test_backlogs_go_one_after_another_and_a_lone_record_passes_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-made batches of many shards would fill the memory; who has little need not wait."""
    seen: list[str] = []
    interpret = Scripted.interpret

    def noted(handler: Scripted, observation: Observation) -> Interpretation:
        result = interpret(handler, observation)
        assert result.reading is not None
        seen.append(result.reading.resource.id)
        return result

    monkeypatch.setattr(Scripted, "interpret", noted)
    shards = [Partition(), Partition(), Partition()]
    for shard, name, count in zip(shards, "abc", (500, 500, 1), strict=True):
        for _ in range(count):
            shard.put(inbox_record(f'{{"id": "{name}"}}'))
    await asyncio.gather(*map(world.router.work, shards), return_exceptions=True)
    assert [name for name in seen if name != "c"] == ["a"] * 500 + ["b"] * 500
    assert seen.index("c") < 500
