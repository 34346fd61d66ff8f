"""Many records at a time: one open batch for each partition, and one answer for all that is in it.

A record costs little more than its bytes this way: aiokafka's own ``send`` looks up the partition,
and makes two futures, for each one of them.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import count
from typing import Any, Final, Protocol, TypeAlias

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder

from receiver.kafka.clients import KafkaHeaders
from receiver.kafka.handover import hand_over

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Place: TypeAlias = tuple[str, int]
"""A topic, and the partition of it."""

_GIVEN_UP: Final = "the connection to Kafka was given up"


class NotDurable(Exception):
    """The record is on no disk that we know of: whoever sent it must send it again."""


class RecordRefused(NotDurable):
    """Kafka takes others, and never this one: it is larger than its topic allows."""


Told: TypeAlias = Callable[[int | NotDurable], object]
"""Who is told of a record: its offset once it is durable, or why it is not known to be."""


class Breaker(Protocol):
    """Who is told how batches fare."""

    def acknowledged(self, batching: "Batching") -> None:
        """Note that a batch is durable."""

    def failed(self, batching: "Batching", error: BaseException) -> str:
        """Note that a batch is not, as far as is known; return what its senders are told."""


class _Record(msgspec.Struct):
    key: bytes
    value: bytes
    headers: KafkaHeaders
    told: Told


class _Batch:
    """Records of one place on their way, to be answered by ``deadline`` in the loop's time."""

    __slots__ = ("builder", "deadline", "place", "records")

    def __init__(self, place: Place, builder: BatchBuilder, deadline: float) -> None:
        self.place = place
        self.builder = builder
        self.deadline = deadline
        self.records: list[_Record] = []

    def take(self, record: _Record) -> bool:
        """Add a record; False if the batch is full, or was sent."""
        taken = self.builder.append(
            timestamp=None, key=record.key, value=record.value, headers=record.headers
        )
        if taken is None:
            return False
        self.records.append(record)
        return True


class Batching:
    """Appends records through one producer.

    One partition's are usually in the order in which they came; where several batches of it wait
    they are not always.

    A batch takes more records until the producer sends it: so batches grow with the load, and
    nothing waits where there is none. How much waits is not bounded here. Everybody waits for their
    own record, so it is as much as they hold.

    ``within`` is how many seconds a batch may take from its first record to its answer.
    """

    def __init__(self, producer: AIOKafkaProducer, within: float, breaker: Breaker) -> None:
        self.producer = producer
        self._within = within
        self._breaker = breaker
        self._loop = asyncio.get_running_loop()
        self._open: dict[Place, _Batch] = {}
        # In the order of their deadlines.
        self._under_way: dict[_Batch, None] = {}
        self._watching: asyncio.TimerHandle | None = None

    def append(
        self, place: Place, key: bytes, value: bytes, headers: KafkaHeaders, told: Told
    ) -> None:
        """Begin to append a record; ``told`` is called once, with how that ended."""
        record = _Record(key, value, headers, told)
        batch = self._open.get(place)
        if batch is None or not batch.take(record):
            self._open[place] = self._send(place, [record])

    def close(self) -> None:
        """Give up what is under way: its senders are told that it is not durable."""
        for batch in self._under_way:
            _fail(batch.records, NotDurable, _GIVEN_UP)
        self._under_way.clear()
        self._open.clear()
        if self._watching is not None:
            self._watching.cancel()

    def _send(self, place: Place, records: Sequence[_Record]) -> _Batch:
        """Begin a batch with ``records``, which fit into one or are one."""
        batch = _Batch(place, self.producer.create_batch(), self._loop.time() + self._within)
        for record in records:
            # A batch takes its first record however large it is: Kafka judges that.
            batch.take(record)
        try:
            answer = hand_over(self.producer, batch.builder, *place)
        except KafkaError as error:
            self._failed(batch, error)
        else:
            self._under_way[batch] = None
            answer.add_done_callback(partial(self._answered, batch))
            if self._watching is None:
                self._watching = self._loop.call_at(batch.deadline, self._look)
        return batch

    def _answered(self, batch: _Batch, answer: "asyncio.Future[Any]") -> None:
        error = answer.exception()
        if batch not in self._under_way:
            # It took too long, and its senders were told so.
            return
        del self._under_way[batch]
        if self._open.get(batch.place) is batch:
            del self._open[batch.place]
        if error is None:
            self._breaker.acknowledged(self)
            _tell(batch.records, count(answer.result().offset))
        elif isinstance(error, MessageSizeTooLargeError):
            self._send_apart(batch)
        else:
            self._failed(batch, error)

    def _look(self) -> None:
        """Give up the batches that took too long; come back when the next one would have."""
        self._watching = None
        for batch in list(self._under_way):
            if batch.deadline > self._loop.time():
                self._watching = self._loop.call_at(batch.deadline, self._look)
                break
            del self._under_way[batch]
            self._failed(batch, TimeoutError(f"no answer within {self._within:g} s"))

    def _failed(self, batch: _Batch, error: BaseException) -> None:
        # What comes later begins another one, which has all the time there is.
        batch.builder.close()
        _fail(batch.records, NotDurable, self._breaker.failed(self, error))

    def _send_apart(self, batch: _Batch) -> None:
        """Send the halves of a batch that is too large for its topic: its records may not be.

        One record that is too large fails alone, and its neighbours do not.
        """
        records = batch.records
        if len(records) == 1:
            told = f"{batch.place[0]} takes no record as large: raise its max.message.bytes"
            _fail(records, RecordRefused, told)
            return
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            # No others are added, or it might be too large again.
            self._send(batch.place, half).builder.close()


def settle(offset: "asyncio.Future[int]", outcome: int | NotDurable) -> None:
    """Tell one who waits for ``offset``, and may have been cancelled meanwhile."""
    if offset.done():
        return
    if isinstance(outcome, int):
        offset.set_result(outcome)
    else:
        offset.set_exception(outcome)


def _fail(records: Sequence[_Record], failure: Callable[[str], NotDurable], told: str) -> None:
    # Each their own: a traceback grows with every time that an exception is raised.
    _tell(records, (failure(told) for _ in records))


def _tell(records: Sequence[_Record], outcomes: Iterable[int | NotDurable]) -> None:
    for record, outcome in zip(records, outcomes, strict=False):
        try:
            record.told(outcome)
        except Exception:
            # The others must hear of theirs.
            log.exception("whoever appended a record did not understand what became of it")
