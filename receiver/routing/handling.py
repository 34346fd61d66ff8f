"""From the records of an inbox partition to what a transaction will write: no Kafka, no waiting."""

from collections.abc import Sequence
from typing import NamedTuple

import structlog

from config.topics import Topics
from handlers.clock import Clock
from handlers.letters import Reason
from handlers.observation import Observation, Position
from receiver.inbox import MOST_BYTES
from receiver.kafka.clients import Record
from receiver.routing.batch import Batch
from receiver.routing.expiry import Expiry, Retention, horizon_in
from receiver.routing.letters import Refusal, count_key, removal, write
from receiver.routing.route import Route
from receiver.routing.steps import Case, Consequences
from receiver.routing.throttle import Throttle
from receiver.shards.open_shard import InputRecord
from receiver.watches.requests import Request, partition_key, to_record

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_MOST_AROUND = 64 * 1024
"""Bytes of key and headers: far more than payevents ever writes with an observation."""


class _Stray(NamedTuple):
    """A record that is no observation, as far as its letter holds it, and why it is none."""

    record: InputRecord
    detail: str


class Handling:
    """Handles the records of one session of a shard.

    ``expiry`` and ``throttle`` are what the session remembers from one transaction to the next.
    """

    def __init__(
        self, route: Route, topics: Topics, clock: Clock, retention: Retention, partition: int
    ) -> None:
        self.expiry = Expiry(retention, clock)
        self.throttle = Throttle()
        self._route = route
        self._topics = topics
        self._clock = clock
        self._partition = partition

    def take(self, records: Sequence[InputRecord], partitions: int, batch: Batch) -> None:
        """Handle records of an inbox of so many ``partitions``, or hand them on to their homes.

        That is another one if it was appended before there were so many of them, or by a receiver
        that has not noticed yet. What is too large to be appended again is at home where it is.
        """
        arrived = [(record, self._arrived(record, partitions, batch)) for record in records]
        cases = [case for _, case in arrived if isinstance(case, Case)]
        results = iter(self._route.consequences(cases, batch))
        for record, case in arrived:
            if isinstance(case, Case):
                self._write_all(next(results), record, case, batch)
            elif case is not None:
                self._refuse(case, batch)

    def tell_what_is_due(self, batch: Batch) -> None:
        """Tell the signs of life that are due, of the records handled and of earlier ones."""
        signs = self.throttle.due(self._clock())
        if signs:
            batch.add_signs_of_life(self._topics.watch_requests, signs)

    def _arrived(self, record: InputRecord, partitions: int, batch: Batch) -> Case | _Stray | None:
        """Return the observation in a record, or why it is none; None if it was handed on.

        The ledger's horizon moves with it.
        """
        key = record.key
        if _is_oversized(record):
            # A letter that held all of it would be refused for ever.
            cut = InputRecord(record.offset, None, None, ())
            return _Stray(cut, "it is larger than what payevents writes: see it in the inbox")
        if key and (home := batch.partition_for(key, partitions)) != self._partition:
            as_it_is = Record(key, record.value, list(record.headers))
            batch.place(self._topics.inbox, home, as_it_is)
            return None
        try:
            observation = Observation.from_record(record.headers, record.value or b"")
        except ValueError as error:
            return _Stray(record, str(error))
        moved = self.expiry.saw(observation.received_at, batch)
        if moved:
            batch.changes.update(moved)
        return Case(key or b"", observation, self._at(record), horizon_in(batch))

    def _write_all(
        self, result: Consequences, record: InputRecord, case: Case, batch: Batch
    ) -> None:
        observation = case.observation
        self._write(result, record, case.at, batch)
        if observation.letter_id is not None:
            self._settle_redriven(observation.letter_id, result, batch)
        batch.tally.add(observation, result)

    def _write(self, result: Consequences, record: InputRecord, at: Position, batch: Batch) -> None:
        if result.entry is not None:
            batch.changes[result.entry[0]] = result.entry[1]
        if result.events:
            # All are of one resource, and so have one key.
            batch.add(result.topic, result.events[0].key, *result.events)
        for refusal in result.refusals:
            self._add_letter(refusal, record, at, batch)
        if result.look_up is not None:
            self._ask(result.look_up, batch)
        for sign in result.signs:
            if self.throttle.admits(sign):
                self._ask(sign, batch)

    def _settle_redriven(self, letter: str, result: Consequences, batch: Batch) -> None:
        """Remove the dead letter that was tried again, unless it failed again or still waits."""
        if result.look_up is not None:
            return
        if any(refusal.letter_id == letter for refusal in result.refusals):
            return
        batch.changes[count_key(letter)] = None
        tombstone = removal(letter, result.refusals)
        batch.add(self._topics.dead_letters, tombstone.key, tombstone)

    def _refuse(self, stray: _Stray, batch: Batch) -> None:
        """Make a dead letter of what is no observation."""
        at = self._at(stray.record)
        letter_id = f"{at.topic}-{at.partition}-{at.offset}"
        refusal = Refusal(letter_id, Reason.NOT_AN_OBSERVATION, stray.detail)
        self._add_letter(refusal, stray.record, at, batch)

    def _add_letter(
        self, refusal: Refusal, record: InputRecord, at: Position, batch: Batch
    ) -> None:
        counter = count_key(refusal.letter_id)
        letter, count = write(
            refusal,
            inbox_key=record.key,
            value=record.value,
            headers=list(record.headers),
            position=f"{at.partition}/{at.offset}",
            counted=batch.get(counter),
            now=self._clock(),
        )
        batch.changes[counter] = count
        batch.add(self._topics.dead_letters, letter.key, letter)
        log.warning(
            "a dead letter",
            letter=refusal.letter_id,
            reason=refusal.reason,
            partition=at.partition,
            offset=at.offset,
        )

    def _ask(self, request: Request, batch: Batch) -> None:
        to_shard = partition_key(request.account)
        batch.add(self._topics.watch_requests, to_shard, to_record(request))

    def _at(self, record: InputRecord) -> Position:
        return Position(self._topics.inbox, self._partition, record.offset)


def _is_oversized(record: InputRecord) -> bool:
    around = len(record.key or b"")
    for name, value in record.headers:
        around += len(name) + len(value or b"")
    return around > _MOST_AROUND or len(record.value or b"") > MOST_BYTES
