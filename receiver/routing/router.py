"""The router: what a shard does with inbox records, one transaction after another."""

from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field

import structlog

from config.topics import Topics
from handlers.clock import Clock
from handlers.letters import Reason
from handlers.observation import Observation, Position
from receiver.inbox import MOST_BYTES
from receiver.kafka.clients import Record, partition_for
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
from receiver.routing.expiry import Expiry, Retention
from receiver.routing.letters import Refusal, count_key, removal, write
from receiver.routing.route import Consequences, Route
from receiver.routing.throttle import Throttle
from receiver.shards.open_shard import InputRecord, OpenShard
from receiver.watches.requests import Request, partition_key, to_record

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

CONTRADICTION = Reason.CONTRADICTS_LEDGER.value
"""The alarm has the name of the dead letter that it is about."""

_WAIT = 5.0
_WAIT_WALKING = 0.05
"""Seconds between two steps of the walk over the ledger while no observation comes."""
_MOST_AROUND = 64 * 1024
"""Bytes of key and headers: far more than payevents ever writes with an observation."""


@dataclass(slots=True)
class _Batch:
    """What one transaction will write, and what is to be counted once it is committed."""

    expiry: Expiry
    throttle: Throttle
    changes: dict[bytes, bytes | None] = field(default_factory=dict)
    outputs: dict[tuple[str, int], list[Record]] = field(default_factory=dict)
    counted: list[tuple[Observation, Consequences]] = field(default_factory=list)


class Router:
    """Turns the inbox partition of a shard into events, until the shard ends."""

    def __init__(
        self,
        route: Route,
        topics: Topics,
        metrics: Metrics,
        alarms: Alarms,
        clock: Clock,
        *,
        batch: int = 500,
        retention: Retention = Retention(),  # noqa: B008 - it is immutable
    ) -> None:
        self._route = route
        self._topics = topics
        self._metrics = metrics
        self._alarms = alarms
        self._clock = clock
        self._limit = batch
        self._retention = retention

    async def work(self, shard: OpenShard) -> None:
        """Route until cancelled.

        Raises:
            SessionLost: the shard must be started again.
        """
        expiry, throttle = Expiry(self._retention, self._clock), Throttle()
        while True:
            wait = _WAIT_WALKING if expiry.is_walking else _WAIT
            records = await shard.fetch(wait=wait, limit=self._limit)
            # Records that others handed on are followed by markers: see OpenShard.reached.
            is_behind = shard.reached != shard.position.offset
            if records or is_behind or throttle.is_due(self._clock()):
                await self._handle(shard, records, _Batch(expiry, throttle))
            forgotten = expiry.step(shard.entries)
            if forgotten:
                await shard.commit(dict.fromkeys(forgotten))

    async def _handle(
        self, shard: OpenShard, records: Sequence[InputRecord], batch: _Batch
    ) -> None:
        # Later records of a batch must see what earlier ones change, before it is committed.
        ledger = _Overlay(batch.changes, shard)
        for record in records:
            home = _home(shard, record)
            if home == shard.partition:
                await self._handle_one(shard, record, ledger, batch)
            else:
                _forward(record, (shard.spec.input_topic, home), batch)
        for sign in batch.throttle.due(self._clock()):
            await self._ask(shard, sign, batch)
        await shard.commit(batch.changes, outputs=batch.outputs, offset=shard.reached)
        for observation, consequences in batch.counted:
            self._metrics.routed(observation, consequences)
            self._tell_contradictions(observation, consequences)

    def _tell_contradictions(self, observation: Observation, consequences: Consequences) -> None:
        for refusal in consequences.refusals:
            if refusal.reason == CONTRADICTION:
                # It stays until the process ends: only a person can say that the books are right.
                self._alarms.sound(
                    observation.account,
                    CONTRADICTION,
                    why=f"{refusal.detail}: dead letter {refusal.letter_id}",
                    remedy="compare with the provider, and correct your books by hand",
                )

    async def _handle_one(
        self, shard: OpenShard, record: InputRecord, ledger: "_Overlay", batch: _Batch
    ) -> None:
        at = Position(shard.spec.input_topic, shard.partition, record.offset)
        key = (record.key or b"").decode(errors="replace")
        try:
            observation = _observation(record)
        except ValueError as error:
            stray = Refusal(
                f"{at.topic}-{at.partition}-{at.offset}", Reason.NOT_AN_OBSERVATION, str(error)
            )
            await self._add_letter(shard, stray, _cut(record), at, batch, ledger)
            return
        batch.changes.update(batch.expiry.saw(observation.received_at, ledger))
        result = self._route.consequences(key, observation, at, ledger)
        if result.entry is not None:
            batch.changes[result.entry[0]] = result.entry[1]
        for event in result.events:
            await self._add(shard, event.topic, event.record.key, event.record, batch)
        for refusal in result.refusals:
            await self._add_letter(shard, refusal, record, at, batch, ledger)
        if result.look_up is not None:
            await self._ask(shard, result.look_up, batch)
        for sign in batch.throttle.admitted(result.signs):
            await self._ask(shard, sign, batch)
        await self._settle_redriven(shard, observation, result, batch)
        batch.counted.append((observation, result))

    async def _settle_redriven(
        self, shard: OpenShard, observation: Observation, result: Consequences, batch: _Batch
    ) -> None:
        """Remove the dead letter that was tried again, unless it failed again or still waits."""
        letter = observation.letter_id
        if letter is None or result.look_up is not None:
            return
        if any(refusal.letter_id == letter for refusal in result.refusals):
            return
        batch.changes[count_key(letter)] = None
        tombstone = removal(letter, result.refusals)
        await self._add(shard, self._topics.dead_letters, tombstone.key, tombstone, batch)

    async def _add_letter(
        self,
        shard: OpenShard,
        refusal: Refusal,
        record: InputRecord,
        at: Position,
        batch: _Batch,
        ledger: "_Overlay",
    ) -> None:
        counter = count_key(refusal.letter_id)
        letter, count = write(
            refusal,
            inbox_key=record.key,
            value=record.value,
            headers=list(record.headers),
            position=f"{at.partition}/{at.offset}",
            counted=ledger.get(counter),
            now=self._clock(),
        )
        batch.changes[counter] = count
        await self._add(shard, self._topics.dead_letters, letter.key, letter, batch)
        log.warning(
            "a dead letter",
            letter=refusal.letter_id,
            reason=refusal.reason,
            partition=at.partition,
            offset=at.offset,
        )

    async def _ask(self, shard: OpenShard, request: Request, batch: _Batch) -> None:
        to_shard = partition_key(request.account)
        await self._add(shard, self._topics.watch_requests, to_shard, to_record(request), batch)

    @staticmethod
    async def _add(shard: OpenShard, topic: str, key: bytes, record: Record, batch: _Batch) -> None:
        partition = partition_for(key, await shard.partitions(topic))
        batch.outputs.setdefault((topic, partition), []).append(record)


def _home(shard: OpenShard, record: InputRecord) -> int:
    """Return the partition in whose ledger the record's resource is.

    It is another one if it was appended before there were so many partitions, or by a receiver that
    has not noticed yet. What is too large to be appended again is at home where it is.
    """
    if not record.key or _is_oversized(record):
        return shard.partition
    return shard.home(record.key)


def _forward(record: InputRecord, home: tuple[str, int], batch: _Batch) -> None:
    as_it_is = Record(record.key or b"", record.value, list(record.headers))
    batch.outputs.setdefault(home, []).append(as_it_is)


def _observation(record: InputRecord) -> Observation:
    if _is_oversized(record):
        raise ValueError("it is larger than what payevents writes: see it in the inbox")
    return Observation.from_record(record.headers, record.value or b"")


def _cut(record: InputRecord) -> InputRecord:
    """Return what a letter can hold of a record: a larger letter would be refused for ever."""
    return InputRecord(record.offset, None, None, ()) if _is_oversized(record) else record


def _is_oversized(record: InputRecord) -> bool:
    around = len(record.key or b"")
    around += sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.value or b"") > MOST_BYTES or around > _MOST_AROUND


class _Overlay(ChainMap[bytes, bytes]):
    """The ledger as it will be after the batch so far."""

    def __init__(self, changes: MutableMapping[bytes, bytes | None], shard: OpenShard) -> None:
        super().__init__(changes, shard.entries)  # type: ignore[arg-type]
