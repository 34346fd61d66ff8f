"""From a record of each topic to the evidence in it; what others wrote there is passed over."""

from collections import defaultdict, deque
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import msgspec
import orjson
from aiokafka import ConsumerRecord

from handlers.clock import rfc3339
from handlers.ledger import Entry
from handlers.observation import Observation, Position
from receiver.accounts.registry import Accounts
from receiver.dead_letters.letter import DeadLetter
from receiver.explaining.evidence import Arrival, SeenEvent, SeenLetter, SeenLookUp
from receiver.explaining.interpreting import letter_ids, says
from receiver.explaining.subject import Subject
from receiver.kafka.snapshot import Row
from receiver.polling.entry import ACTIVE, WatchEntry
from receiver.watches.requests import LookUp, from_value

MOST_ARRIVALS = 5_000
"""Observations of one subject that are kept: the latest of them."""


class Tally:
    """The observations of each inbox key, without their bodies."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self.arrivals: defaultdict[bytes, deque[Arrival]] = defaultdict(
            lambda: deque(maxlen=MOST_ARRIVALS)
        )
        self.left_out: defaultdict[bytes, int] = defaultdict(int)
        self.kept_since: dict[int, datetime] = {}

    def saw(self, record: ConsumerRecord) -> None:
        """Take note of how far back the partition reaches."""
        if record.partition not in self.kept_since:
            self.kept_since[record.partition] = _time(record)

    def take(self, record: ConsumerRecord) -> None:
        """Take an observation under a key that is wanted."""
        body = record.value or b""
        try:
            observation = Observation.from_record(record.headers, body)
        except ValueError:
            return
        handler = self._accounts.get(observation.account)
        at = Position(record.topic, record.partition, record.offset)
        without_body = msgspec.structs.replace(observation, body=b"")
        arrivals = self.arrivals[record.key]
        self.left_out[record.key] += len(arrivals) == MOST_ARRIVALS
        arrivals.append(
            Arrival(
                at,
                without_body,
                observation.digest,
                len(body),
                says(handler, observation),
                letter_ids(handler, observation),
            )
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A look-up as it was asked for, under its watch's key, at an offset of the watch requests."""

    watch: bytes
    offset: int
    look_up: SeenLookUp


def entry(record: ConsumerRecord) -> Entry | None:
    """Return the ledger entry in a record, None if it is a removal or none of ours."""
    try:
        return None if record.value is None else Entry.decode(record.value)
    except msgspec.MsgspecError:
        return None


def event(record: ConsumerRecord) -> SeenEvent | None:
    """Return the event in a record, None if it is none of ours."""
    try:
        told = orjson.loads(record.value or b"")
        data = told["data"]
        source = data["evidence"]
        return SeenEvent(
            id=UUID(told["id"]),
            action=data["action"],
            at=Position(record.topic, record.partition, record.offset),
            sequence=data["sequence"],
            source=Position(source["topic"], source["partition"], source["offset"]),
            sha256=source["sha256"],
            inferred=data["inferred"],
            late=data["late"],
            test=data["test"],
        )
    except (ValueError, KeyError, TypeError):
        return None


def letter(record: ConsumerRecord, inbox_keys: Container[bytes]) -> tuple[bytes, SeenLetter] | None:
    """Return the dead letter in a record with its inbox key, if it is one of these."""
    if record.value is None:
        return None
    row = Row(record.key or b"", record.value, list(record.headers))
    inbox_key = row.header("payevents-inbox-key").encode()
    if inbox_key not in inbox_keys:
        return None
    return inbox_key, SeenLetter(DeadLetter.of(row), sha256(record.value).hexdigest())


def asked(record: ConsumerRecord, subject: Subject) -> list[Asked]:
    """Return the look-up in a watch request, if it is one for an observation of ``subject``."""
    try:
        [request] = from_value(record.value or b"")
        if not isinstance(request, LookUp) or request.original.key != subject.inbox_key:
            return []
        original = request.original.observation()
    except (ValueError, msgspec.MsgspecError):
        return []
    look_up = SeenLookUp(
        request.claim, _time(record), original.digest, original.received_at, state=""
    )
    return [Asked(record.key, record.offset, look_up)]


def watch_state(record: ConsumerRecord) -> str:
    """Return how the look-up in a record of the watchlist stands; empty if it has ended."""
    try:
        entry = None if record.value is None else WatchEntry.decode(record.value)
    except msgspec.MsgspecError:
        entry = None
    if entry is None or entry.state != ACTIVE:
        return ""
    due_at = rfc3339(datetime.fromtimestamp(entry.next_poll_at, UTC))
    return f"due at {due_at}" + (f"; the last try failed: {entry.error}" if entry.error else "")


def _time(record: ConsumerRecord) -> datetime:
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)
