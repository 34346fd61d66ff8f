"""A router on a shard in memory, with one account whose bodies say what to make of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from config.account import AccountSettings
from config.topics import Topics
from handlers.fact import Claim, Fact, Interpretation, Reading, Uninterpretable
from handlers.jsontext import parse_object
from handlers.letters import Reason
from handlers.observation import Observation, Origin
from handlers.provider import BaseHandler
from handlers.resource import ResourceKey
from receiver.accounts.registry import Accounts
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.routing.route import Route
from receiver.routing.router import Router
from receiver.shards.open_shard import BACKLOG, InputRecord, OpenShard, ShardSpec
from receiver.shards.session import Batches, Writable
from receiver.shards.table import InputPosition

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


def new_world() -> World:
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
