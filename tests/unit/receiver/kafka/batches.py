"""Batches that a test answers by hand: a producer, a breaker, and what appends through them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from receiver.kafka.batching import Batching, settle

TOPIC = "inbox"
WITHIN = 2.0
MOST = 1000
"""Bytes of a batch, but for a single record that is larger."""


@dataclass
class FakeProducer:
    """Real batches, and a cluster that the test speaks for: each batch is answered by hand."""

    sent: list[tuple[int, BatchBuilder, "asyncio.Future[Any]"]] = field(default_factory=list)
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: bool = False
    _exception: Exception | None = None

    @property
    def _message_accumulator(self) -> "FakeProducer":
        return self

    def create_batch(self) -> BatchBuilder:
        """Return an empty batch."""
        return BatchBuilder(MOST, 0)

    def end(self, error: Exception | None = None) -> None:
        """Take no batch any more: be closed, or broken by ``error``."""
        self._closed, self._exception = error is None, error

    def _append_batch(self, batch: BatchBuilder, at: TopicPartition) -> SimpleNamespace:
        """Take a batch, which stays open until it is answered."""
        assert at.topic == TOPIC
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.sent.append((at.partition, batch, answer))
        self.taken.set()
        return SimpleNamespace(future=answer)

    async def until_sent(self, count: int) -> None:
        """Wait until so many batches are there."""
        while len(self.sent) < count:
            self.taken.clear()
            await self.taken.wait()

    async def next(self) -> tuple[list[bytes], "asyncio.Future[Any]"]:
        """Return the values of the batch that was sent first, on its way now, and its answer."""
        await self.until_sent(1)
        _, batch, answer = self.sent.pop(0)
        return values(batch), answer


@dataclass
class Breaker:
    """Notes what it is told."""

    acknowledgements: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def acknowledged(self, batching: Batching) -> None:
        """Count it."""
        assert batching.producer is not None
        self.acknowledgements += 1

    def failed(self, batching: Batching, error: BaseException) -> str:
        """Keep it."""
        assert batching.producer is not None
        self.failures.append(error)
        return "Kafka is away"


@dataclass
class Stage:
    """A batching of records into one partition, on its fake producer."""

    producer: FakeProducer = field(default_factory=FakeProducer)
    breaker: Breaker = field(default_factory=Breaker)
    batching: Batching = field(init=False)

    def __post_init__(self) -> None:
        self.batching = Batching(cast("AIOKafkaProducer", self.producer), WITHIN, self.breaker)

    def append(self, *appended: bytes) -> list["asyncio.Future[int]"]:
        """Append records with these values."""
        return [self._append(value) for value in appended]

    def _append(self, value: bytes) -> "asyncio.Future[int]":
        offset: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.batching.append((TOPIC, 0), b"key", value, [], partial(settle, offset))
        return offset

    async def answer_until_told(self, records: Sequence["asyncio.Future[int]"], limit: int) -> None:
        """Be a topic that takes no batch with a value beyond ``limit`` bytes, and acknowledge."""
        offset = 0
        while not all(record.done() for record in records):
            sent, answer = await self.producer.next()
            if sum(map(len, sent)) > limit:
                answer.set_exception(MessageSizeTooLargeError())
            else:
                answer.set_result(SimpleNamespace(offset=offset))
                offset += len(sent)
            for _ in range(10):
                await asyncio.sleep(0)


def values(batch: BatchBuilder) -> list[bytes]:
    """Return the values of the records in a batch, which takes no more from now on."""
    records = MemoryRecords(bytes(batch._build())).next_batch()
    return [record.value for record in records]
