"""A fenced transactional session: the only way in which anything is published."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidTxnState,
    KafkaError,
    ProducerFenced,
)

from receiver.kafka.clients import Clients, KafkaHeaders
from receiver.kafka.discard import discard_producer
from receiver.shards.beginning import begin_promptly
from receiver.shards.unanswered import UnansweredEnds


class SessionLost(Exception):
    """The session cannot go on, and whether its last commit took effect is unknown.

    Throw it away with everything not yet merged, and start again: a new session settles it.
    """


class Fenced(SessionLost):
    """Another session of the same id has started: its owner decides now."""


class Writable(Protocol):
    """What can be written: a record, or whatever else has all of one and need not be copied."""

    @property
    def key(self) -> bytes:
        """Return the key."""

    @property
    def value(self) -> bytes | None:
        """Return the value, None for a tombstone."""

    @property
    def headers(self) -> KafkaHeaders:
        """Return the headers."""


Batches = Mapping[tuple[str, int], Sequence[Writable]]
"""What one transaction writes, by topic and partition."""


class Session:
    """One transactional producer, used by one task, thrown away after any error.

    Starting it fences every earlier session of the same id and ends that one's open transaction, so
    that no reader has to wait for a dead owner's.
    """

    def __init__(self, clients: Clients, transactional_id: str) -> None:
        self._timeouts = clients.timeouts
        self._producer: AIOKafkaProducer = clients.session_producer(transactional_id)
        begin_promptly(self._producer)
        self._unanswered = UnansweredEnds(self._producer)
        self._tracked: set[str] = set()

    async def start(self) -> None:
        """Start the session.

        Raises:
            SessionLost: Kafka cannot be reached or does not let us.
        """
        try:
            async with asyncio.timeout(self._timeouts.start):
                await self._producer.start()
        except (KafkaError, OSError, TimeoutError, AssertionError) as error:
            raise SessionLost(f"the session did not start: {error!r}") from error

    async def partitions(self, topic: str) -> int:
        """Return how many partitions ``topic`` has.

        Raises:
            SessionLost: it is not there, or Kafka does not say.
        """
        self._track(topic)
        try:
            async with asyncio.timeout(self._timeouts.transaction):
                return len(await self._producer.partitions_for(topic))
        except (KafkaError, OSError, TimeoutError) as error:
            raise SessionLost(f"topic {topic} is not known: {error!r}") from error

    async def await_partitions(self, topic: str, count: int) -> None:
        """Wait until ``topic`` is known to have at least ``count`` partitions.

        Raises:
            SessionLost: Kafka does not say so in time.
        """
        try:
            async with asyncio.timeout(self._timeouts.transaction):
                while await self.partitions(topic) < count:
                    await self._producer.client.force_metadata_update()
        except TimeoutError as error:
            raise SessionLost(f"topic {topic} is not known to have {count} partitions") from error

    async def commit(self, batches: Batches) -> None:
        """Write ``batches`` in one transaction; when this returns, readers will see all of it.

        Raises:
            Fenced: nothing was written, another owner has started.
            SessionLost: it is unknown whether it was written.
        """
        try:
            async with asyncio.timeout(self._timeouts.transaction):
                await self._transact(batches)
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise Fenced(repr(error)) from error
        except (KafkaError, OSError, TimeoutError, AssertionError) as error:
            # A fenced producer's own state machine breaks before it can say so.
            if isinstance(error.__context__, ProducerFenced) or isinstance(error, InvalidTxnState):
                raise Fenced(repr(error)) from error
            raise SessionLost(f"the transaction did not end: {error!r}") from error

    async def discard(self) -> None:
        """Throw the session away, whatever the brokers do meanwhile."""
        await discard_producer(self._producer)

    async def _transact(self, batches: Batches) -> None:
        producer = self._producer
        await producer.begin_transaction()
        sends = []
        for topic, _ in batches:
            self._track(topic)
        for (topic, partition), records in batches.items():
            sends += [
                await producer.send_batch(batch, topic, partition=partition)
                for batch in self._fill(records)
            ]
        # aiokafka commits even when a record failed: the outcome of each send decides first.
        outcomes = await asyncio.gather(*sends, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        await producer.commit_transaction()
        if self._unanswered.any:
            raise SessionLost("it was asked for twice, and the first asking may still arrive")

    def _track(self, topic: str) -> None:
        # aiokafka knows all topics until one is asked for that is new to it; from then on it
        # refreshes only those asked for, and forgets the leaders of the others: batches for them
        # would wait for ever. So each topic is asked for by name before it is used.
        if topic not in self._tracked:
            self._tracked.add(topic)
            self._producer.client.add_topic(topic)

    def _fill(self, records: Sequence[Writable]) -> list[object]:
        batch = self._producer.create_batch()
        batches: list[object] = [batch]
        for record in records:
            key, value, headers = record.key, record.value, record.headers
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                batch = self._producer.create_batch()
                batches.append(batch)
                if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                    raise SessionLost("a record is larger than a batch may be")
        return batches
