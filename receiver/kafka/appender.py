"""Appending records, each acknowledged by all in-sync replicas before anyone goes on."""

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from receiver.kafka.batching import Batching, NotDurable, Place, RecordRefused, Told, settle
from receiver.kafka.clients import Clients, KafkaHeaders
from receiver.kafka.discard import discard_producer
from receiver.kafka.partitioning import partition_for
from receiver.kafka.rights import forbidden
from receiver.kafka.strays import end_if_cancelled, strays_are_errors
from receiver.observability.alarms import Alarms

__all__ = ["Appender", "NotDurable", "RecordRefused"]

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

FORBIDDEN = "kafka-forbids-inbox"
"""The alarm that a right to append is missing."""

_RETRY_AFTER = 0.5
_LONGEST_PAUSE = 5.0

Appended: TypeAlias = tuple[bytes, bytes, KafkaHeaders]
"""A record's key, value and headers."""


class Appender:
    """One producer of records to some topics, behind a circuit breaker.

    After one acknowledgement that did not come in time the producer is thrown away, and appends
    fail at once until a new one has reached the cluster, so that nothing queues up in memory. The
    first append after that is a trial: the others go on failing until it is acknowledged.
    ``what`` says in the log what it appends. ``alarms`` hear of a right to append that is missing.
    """

    def __init__(
        self,
        clients: Clients,
        topics: Sequence[str],
        *,
        what: str = "records",
        alarms: Alarms | None = None,
    ) -> None:
        self._clients = clients
        self._topics = topics
        self._alarms = alarms
        self._connected = f"Kafka takes {what}"
        self._tripped = f"Kafka does not take {what}"
        self._batching: Batching | None = None
        # The same, as long as it has not failed.
        self._taking: Batching | None = None
        # How many there are of each topic, as far as was asked: aiokafka counts them each time.
        self._partitions: dict[str, int] = {}
        self._broken = asyncio.Event()
        self._on_trial = False
        self._trial_under_way = False
        self._trips = 0
        self.problem = "not connected yet"

    @property
    def available(self) -> bool:
        """Tell whether Kafka takes records, as far as the last attempt showed."""
        return self._taking is not None

    async def run(self) -> None:
        """Keep a connected producer until cancelled."""
        try:
            while True:
                await self._connect()
                await self._broken.wait()
                await self._drop()
                end_if_cancelled()
                await asyncio.sleep(min(_LONGEST_PAUSE, _RETRY_AFTER * self._trips))
        finally:
            await self._drop()

    async def append(
        self,
        topic: str,
        key: bytes,
        value: bytes,
        *,
        headers: KafkaHeaders | None = None,
        partition_key: bytes | None = None,
    ) -> tuple[int, int]:
        """Append one record and return its partition and offset, once it is durable.

        The partition follows from ``partition_key``, or from ``key`` where there is none.

        Raises:
            NotDurable: Kafka did not acknowledge in time. The record may still arrive later;
                appending it again is harmless to those who read it through a ledger or a table.
        """
        batching, partitions = self._ready(topic)
        partition = partition_for(partition_key or key, partitions)
        offset: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        told = partial(settle, offset)
        self._begin(batching, (topic, partition), key, value, headers or [], told)
        return partition, await offset

    def begin(
        self, topic: str, key: bytes, value: bytes, headers: KafkaHeaders, told: Told
    ) -> None:
        """Begin to append a record; ``told`` is called once, with how that ended.

        That is what :meth:`append` does, without a coroutine, for those who append thousands.

        Raises:
            NotDurable: Kafka takes no record now, and ``told`` is not called.
        """
        batching, partitions = self._ready(topic)
        place = topic, partition_for(key, partitions)
        self._begin(batching, place, key, value, headers, told)

    async def append_all(
        self, topic: str, records: Sequence[Appended]
    ) -> Sequence[BaseException | None]:
        """Append records side by side; return of each why it is not durable, None where it is.

        Raises:
            NotDurable: Kafka takes none of them now.
        """
        outcomes: list[BaseException | None] = []
        while self._on_trial and len(outcomes) < len(records):
            outcomes.append(await self._refusal(topic, records[len(outcomes)]))
        batching, partitions = self._ready(topic)
        # Futures and no coroutines: a task for each would cost more than its record does.
        loop = asyncio.get_running_loop()
        appended: list[asyncio.Future[int]] = []
        for key, value, headers in records[len(outcomes) :]:
            appended.append(loop.create_future())
            place = topic, partition_for(key, partitions)
            batching.append(place, key, value, headers, partial(settle, appended[-1]))
        ended = await asyncio.gather(*appended, return_exceptions=True)
        outcomes += [each if isinstance(each, BaseException) else None for each in ended]
        return outcomes

    async def _refusal(self, topic: str, record: Appended) -> RecordRefused | None:
        """Append one record, as a trial; return why Kafka will never take it, None if it did."""
        key, value, headers = record
        try:
            await self.append(topic, key, value, headers=headers)
        except RecordRefused as refused:
            return refused
        return None

    def _begin(
        self,
        batching: Batching,
        place: Place,
        key: bytes,
        value: bytes,
        headers: KafkaHeaders,
        told: Told,
    ) -> None:
        if self._on_trial:
            # One is let through while the cluster is on trial, and the others are not.
            if self._trial_under_way:
                raise NotDurable("Kafka is being tried again")
            self._trial_under_way = True
            told = partial(self._trial_ended, told)
        try:
            batching.append(place, key, value, headers, told)
        except BaseException:
            self._trial_under_way = False
            raise

    def _trial_ended(self, told: Told, outcome: int | NotDurable) -> None:
        self._trial_under_way = False
        told(outcome)

    def _ready(self, topic: str) -> tuple[Batching, int]:
        """Return what appends now, and how many partitions ``topic`` has."""
        batching = self._taking
        if batching is None:
            raise NotDurable(self.problem)
        partitions = self._partitions.get(topic)
        if partitions is None:
            partitions = self._partitions[topic] = self._count(batching, topic)
        return batching, partitions

    def _count(self, batching: Batching, topic: str) -> int:
        client = batching.producer.client
        partitions = client.cluster.partitions_for_topic(topic)
        if not partitions:
            # Not the cluster's fault: others of its topics are still appended to.
            client.force_metadata_update()
            raise NotDurable(f"there is no topic {topic}: run 'payevents topics create'")
        return len(partitions)

    def acknowledged(self, batching: Batching) -> None:
        """Note a batch that is durable: the trial is over, if there was one."""
        if batching is self._taking and self._on_trial:
            self._on_trial, self._trips = False, 0
            if self._alarms is not None:
                self._alarms.over("", FORBIDDEN)

    def failed(self, batching: Batching, error: BaseException) -> str:
        """Break with the producer whose batch was not acknowledged; return what is the problem."""
        refused = forbidden(error)
        problem = f"Kafka did not acknowledge: {error!r}" if refused is None else refused.why
        if refused is not None and self._alarms is not None:
            self._alarms.sound("", FORBIDDEN, why=refused.why, remedy=refused.remedy)
        if batching is self._taking:
            self.problem = problem
            self._taking = None
            self._broken.set()
            self._on_trial = True
            self._trips += 1
            log.warning(self._tripped, why=problem)
        return problem

    async def _connect(self) -> None:
        while True:
            producer = self._clients.appending_producer()
            try:
                with strays_are_errors():
                    await self._start(producer)
            except asyncio.CancelledError:
                await discard_producer(producer)
                raise
            except Exception as error:
                self.problem = f"Kafka cannot be reached: {error!r}"
                if not isinstance(error, KafkaError | OSError | AssertionError):
                    log.warning("Kafka cannot be reached", why=repr(error), exc_info=True)
                with contextlib.suppress(Exception):
                    await discard_producer(producer)
                end_if_cancelled()
                await asyncio.sleep(_RETRY_AFTER)
            else:
                producer.client.cluster.add_listener(self._forget)
                self._partitions.clear()
                self._batching = Batching(producer, self._clients.timeouts.acknowledge, self)
                self._taking = self._batching
                self.problem = ""
                self._broken.clear()
                log.info(self._connected)
                return

    async def _start(self, producer: AIOKafkaProducer) -> None:
        async with asyncio.timeout(self._clients.timeouts.start):
            await producer.start()
            for topic in self._topics:
                # See Session: a topic that is not asked for by name is forgotten some day.
                producer.client.add_topic(topic)
            await producer.client.force_metadata_update()

    def _forget(self, _: object) -> None:
        """Ask anew how many partitions there are: what is known of the cluster was renewed."""
        self._partitions.clear()

    async def _drop(self) -> None:
        batching, self._batching, self._taking = self._batching, None, None
        if batching is not None:
            try:
                with contextlib.suppress(Exception):
                    await discard_producer(batching.producer)
            finally:
                batching.close()
