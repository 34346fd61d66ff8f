"""Appending single records, each acknowledged by all in-sync replicas before anyone goes on."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from receiver.kafka.clients import Clients, KafkaHeaders, partition_for
from receiver.kafka.discard import discard_producer

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_RETRY_AFTER = 0.5
_LONGEST_PAUSE = 5.0


class NotDurable(Exception):
    """The record is on no disk that we know of: whoever sent it must send it again."""


class RecordRefused(NotDurable):
    """Kafka takes others, and never this one: it is larger than its topic allows."""


class Appender:
    """One producer of single records to some topics, behind a circuit breaker.

    After one acknowledgement that did not come in time the producer is thrown away, and appends
    fail at once until a new one has reached the cluster, so that nothing queues up in memory. The
    first append after that is a trial: the others go on failing until it is acknowledged.
    ``what`` says in the log what it appends.
    """

    def __init__(self, clients: Clients, topics: Sequence[str], *, what: str = "records") -> None:
        self._clients = clients
        self._topics = topics
        self._connected = f"Kafka takes {what}"
        self._tripped = f"Kafka does not take {what}"
        self._producer: AIOKafkaProducer | None = None
        self._broken = asyncio.Event()
        self._on_trial = False
        self._trial_under_way = False
        self._trips = 0
        self.problem = "not connected yet"

    @property
    def available(self) -> bool:
        """Tell whether Kafka takes records, as far as the last attempt showed."""
        return self._producer is not None and not self._broken.is_set()

    async def run(self) -> None:
        """Keep a connected producer until cancelled."""
        try:
            while True:
                await self._connect()
                await self._broken.wait()
                await self._drop()
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
        producer = self._producer
        if producer is None or self._broken.is_set():
            raise NotDurable(self.problem)
        partitions = producer.client.cluster.partitions_for_topic(topic)
        if not partitions:
            # Not the cluster's fault: others of its topics are still appended to.
            producer.client.force_metadata_update()
            raise NotDurable(f"there is no topic {topic}: run 'payevents topics create'")
        with self._trial():
            try:
                async with asyncio.timeout(self._clients.timeouts.acknowledge):
                    written = await producer.send_and_wait(
                        topic,
                        value,
                        key=key,
                        partition=partition_for(partition_key or key, len(partitions)),
                        headers=headers or [],
                    )
            except MessageSizeTooLargeError as error:
                # Not the cluster's fault either: one record must not stop all others.
                raise RecordRefused(
                    f"{topic} takes no record as large: raise its max.message.bytes"
                ) from error
            except (KafkaError, OSError, TimeoutError, AssertionError) as error:
                self._trip(producer, error)
                raise NotDurable(self.problem) from error
            self._on_trial, self._trips = False, 0
        return written.partition, written.offset

    @contextlib.contextmanager
    def _trial(self) -> Iterator[None]:
        """Let one append through while the cluster is on trial, and the others not."""
        if not self._on_trial:
            yield
            return
        if self._trial_under_way:
            raise NotDurable("Kafka is being tried again")
        self._trial_under_way = True
        try:
            yield
        finally:
            self._trial_under_way = False

    def _trip(self, producer: AIOKafkaProducer, error: Exception) -> None:
        if producer is self._producer and not self._broken.is_set():
            self.problem = f"Kafka did not acknowledge: {error!r}"
            self._broken.set()
            self._on_trial = True
            self._trips += 1
            log.warning(self._tripped, why=self.problem)

    async def _connect(self) -> None:
        while True:
            producer = self._clients.appending_producer()
            try:
                async with asyncio.timeout(self._clients.timeouts.start):
                    await producer.start()
                    for topic in self._topics:
                        # See Session: a topic that is not asked for by name is forgotten some day.
                        producer.client.add_topic(topic)
                    await producer.client.force_metadata_update()
            except asyncio.CancelledError:
                await discard_producer(producer)
                raise
            except Exception as error:
                self.problem = f"Kafka cannot be reached: {error!r}"
                if not isinstance(error, KafkaError | OSError | AssertionError):
                    log.warning("Kafka cannot be reached", why=repr(error), exc_info=True)
                with contextlib.suppress(Exception):
                    await discard_producer(producer)
                await asyncio.sleep(_RETRY_AFTER)
            else:
                self._producer, self.problem = producer, ""
                self._broken.clear()
                log.info(self._connected)
                return

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(Exception):
                await discard_producer(producer)
