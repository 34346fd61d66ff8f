"""Many records at a time: one open batch for each partition, and one answer for all that is in it.

A record costs little more than its bytes this way: aiokafka's own ``send`` looks up the partition,
and makes two futures, for each one of them.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError

from receiver.kafka.clients import KafkaHeaders

_Batch: TypeAlias = Any  # aiokafka is untyped


_GIVEN_UP: Final = "the connection to Kafka was given up"


class NotDurable(Exception):
    """The record is on no disk that we know of: whoever sent it must send it again."""


class RecordRefused(NotDurable):
    """Kafka takes others, and never this one: it is larger than its topic allows."""


class Breaker(Protocol):
    """Who is told how batches fare."""

    def acknowledged(self, batching: "Batching") -> None:
        """Note that a batch is durable."""

    def failed(self, batching: "Batching", error: Exception) -> str:
        """Note that a batch is not, as far as is known; return what its senders are told."""


class _Record(NamedTuple):
    key: bytes
    value: bytes
    headers: KafkaHeaders
    # One for each sender, who may cancel it: what they all waited for together, one of them would
    # cancel for all.
    offset: "asyncio.Future[int]"


class Batching:
    """Appends records through one producer.

    One partition's are usually in the order in which they came; where several batches of it wait
    they are not always.

    A batch is handed to the producer in the loop's next turn, and takes more records until that one
    sends it: so batches grow with the load, and nothing waits where there is none. How much waits
    is not bounded here. Everybody waits for their own record, so it is as much as they hold.

    ``within`` is how many seconds a batch may take from its first record to its answer.
    """

    def __init__(self, producer: AIOKafkaProducer, within: float, breaker: Breaker) -> None:
        self.producer = producer
        self._within = within
        self._breaker = breaker
        self._loop = asyncio.get_running_loop()
        self._open: dict[tuple[str, int], tuple[_Batch, list[_Record]]] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    def append(
        self, topic: str, partition: int, key: bytes, value: bytes, headers: KafkaHeaders
    ) -> "asyncio.Future[int]":
        """Append a record; return what has its offset once it is durable.

        It fails with NotDurable or RecordRefused. Whoever waits for it may cancel it, which the
        other records of its batch do not notice; the record may still become durable.
        """
        record = _Record(key, value, headers, self._loop.create_future())
        place = topic, partition
        batch, records = self._open.get(place, (None, []))
        if batch is None or not _add(batch, record):
            batch, records = self.producer.create_batch(), []
            # A batch takes its first record however large it is: Kafka judges that.
            _add(batch, record)
            self._open[place] = batch, records
            task = self._loop.create_task(self._send(place, batch, records))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        records.append(record)
        return record.offset

    async def close(self) -> None:
        """Give up what is under way: its senders are told that it is not durable."""
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)
        # Of a task that was cancelled before it began, nobody else would tell.
        for _, records in self._open.values():
            _fail(records, NotDurable, _GIVEN_UP)
        self._open.clear()

    async def _send(
        self, place: tuple[str, int], batch: _Batch, records: Sequence[_Record]
    ) -> None:
        try:
            await self._deliver(place, batch, records)
        finally:
            if self._open.get(place, (None,))[0] is batch:
                del self._open[place]
            _fail(records, NotDurable, _GIVEN_UP)

    async def _deliver(
        self, place: tuple[str, int], batch: _Batch, records: Sequence[_Record]
    ) -> None:
        topic, partition = place
        try:
            async with asyncio.timeout(self._within):
                # The future has no name: it and its error, which names what is in this frame, would
                # hold each other and the records until the garbage collector comes by.
                first = await _first_offset(await self._hand_over(batch, topic, partition))
        except MessageSizeTooLargeError:
            await self._deliver_apart(place, records)
        except (KafkaError, OSError, TimeoutError, AssertionError) as error:
            _fail(records, NotDurable, self._breaker.failed(self, error))
        else:
            self._breaker.acknowledged(self)
            for offset, record in enumerate(records, first):
                if not record.offset.done():
                    record.offset.set_result(offset)

    async def _hand_over(self, batch: _Batch, topic: str, partition: int) -> "asyncio.Future[Any]":
        """Return what has the answer, once the batches before it in its partition are on their way.

        aiokafka counts the time that each of those takes into that of the next once more, so its
        own limit would come too early; until it takes a batch, it can be given it again.
        """
        while True:
            with contextlib.suppress(KafkaTimeoutError):
                sent: asyncio.Future[Any] = await self.producer.send_batch(
                    batch, topic, partition=partition
                )
                return sent

    async def _deliver_apart(self, place: tuple[str, int], records: Sequence[_Record]) -> None:
        """Send the halves of a batch that is too large for its topic: its records may not be.

        One record that is too large fails alone, and its neighbours do not.
        """
        if len(records) == 1:
            told = f"{place[0]} takes no record as large: raise its max.message.bytes"
            _fail(records, RecordRefused, told)
            return
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            batch = self.producer.create_batch()
            for record in half:
                _add(batch, record)
            await self._deliver(place, batch, half)


def _add(batch: _Batch, record: _Record) -> bool:
    added = batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers)
    return added is not None


async def _first_offset(sent: "asyncio.Future[Any]") -> int:
    # If it is given up it may still fail later, and nobody would listen.
    sent.add_done_callback(_hear)
    try:
        metadata = await asyncio.shield(sent)
    finally:
        del sent
    return int(metadata.offset)


def _hear(sent: "asyncio.Future[Any]") -> None:
    if not sent.cancelled():
        sent.exception()


def _fail(records: Sequence[_Record], failure: Callable[[str], Exception], told: str) -> None:
    for record in records:
        if not record.offset.done():
            # Each their own: a traceback grows with every time that an exception is raised.
            record.offset.set_exception(failure(told))
