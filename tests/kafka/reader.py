"""The judge of the tests: what a librdkafka consumer, not aiokafka, reads from topics.

Every function blocks; async tests call it through `asyncio.to_thread`.
"""

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from tests.kafka.closing import closing_in_time
from tests.kafka.readiness import QUIET

Isolation = Literal["read_committed", "read_uncommitted"]
Until = Callable[[Sequence["Record"]], bool]

TIMEOUT = 30.0
"""Seconds that a read may take unless told otherwise."""

REQUEST_TIMEOUT = 2.0
"""Seconds for one question about topics or offsets before it is asked again."""

POLL_TIMEOUT = 0.1
"""Seconds to wait for a batch before the deadline is looked at again."""

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """One record as Kafka holds it; `timestamp_ms` is in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp_ms: int


class ReadTimeoutError(TimeoutError):
    """The deadline passed before the end, or what was waited for, was reached.

    `records` are those that had come.
    """

    def __init__(self, records: list[Record]) -> None:
        last = records[-1] if records else None
        super().__init__(f"{len(records)} records came in time, the last of them: {last}")
        self.records = records


def read_committed(
    servers: str, topics: Collection[str], *, until: Until | None = None, timeout: float = TIMEOUT
) -> list[Record]:
    """Return what `isolation.level=read_committed` shows of `topics`, from their beginning.

    Reads until `until`, called with all records so far, is true; without it, up to the end that
    the topics have now, waiting for transactions still open before that end. A commit's
    acknowledgement comes before its records turn readable, so anything less would miss some.
    After a broker was frozen, its answer for the end can be an old one: use `until`.

    Records keep their order within a partition. `timeout` is in seconds; raises ReadTimeoutError
    after it, LookupError if a topic does not exist, and KafkaException for an error that lasts.
    """
    return _read(servers, topics, "read_committed", "read_uncommitted", until, timeout)


def follow(
    servers: str, topics: Collection[str], stopped: Callable[[], bool]
) -> Iterator[list[Record]]:
    """Yield what `isolation.level=read_committed` shows of `topics` as it comes.

    It begins at their beginning and ends when `stopped` says so; a list is empty where nothing came
    for a moment. Raises LookupError and KafkaException as `read_committed`.
    """
    with closing_in_time(_consumer(servers, "read_committed")) as consumer:
        ranges = _ranges_within(time.monotonic() + TIMEOUT, consumer, topics)
        consumer.assign([TopicPartition(*at, offsets.start) for at, offsets in ranges.items()])
        while not stopped():
            yield [_record(message) for message in _poll(consumer) if message.error() is None]


def read_stable(servers: str, topics: Collection[str], *, timeout: float = TIMEOUT) -> list[Record]:
    """Return what `isolation.level=read_committed` shows of `topics` at this moment.

    Stops where a transaction is still open or its commit not yet readable; otherwise as
    `read_committed`.
    """
    return _read(servers, topics, "read_committed", "read_committed", None, timeout)


def read_uncommitted(
    servers: str, topics: Collection[str], *, until: Until | None = None, timeout: float = TIMEOUT
) -> list[Record]:
    """Return all records of `topics`, open and aborted transactions included.

    Otherwise as `read_committed`.
    """
    return _read(servers, topics, "read_uncommitted", "read_uncommitted", until, timeout)


def _read(
    servers: str,
    topics: Collection[str],
    isolation: Isolation,
    end_isolation: Isolation,
    until: Until | None,
    timeout: float,
) -> list[Record]:
    deadline = time.monotonic() + timeout
    with closing_in_time(_consumer(servers, end_isolation)) as consumer:
        ranges = _ranges_within(deadline, consumer, topics)
    with closing_in_time(_consumer(servers, isolation)) as consumer:
        # Offsets, since librdkafka takes half a second to look OFFSET_BEGINNING up.
        consumer.assign([TopicPartition(*at, offsets.start) for at, offsets in ranges.items()])
        if until is not None:
            return _read_until(consumer, until, deadline)
        return _read_ranges(consumer, ranges, deadline)


def _read_until(consumer: Consumer, until: Until, deadline: float) -> list[Record]:
    records: list[Record] = []
    while not until(records):
        if time.monotonic() > deadline:
            raise ReadTimeoutError(records)
        records += [_record(message) for message in _poll(consumer) if message.error() is None]
    return records


def _read_ranges(
    consumer: Consumer, ranges: dict[tuple[str, int], range], deadline: float
) -> list[Record]:
    records: list[Record] = []
    unread = {partition for partition, offsets in ranges.items() if offsets}
    while unread:
        if time.monotonic() > deadline:
            raise ReadTimeoutError(records)
        for message in _poll(consumer):
            partition, offset = _position(message)
            if offset >= ranges[partition].stop:
                # A later record, or the end-of-partition event after markers and aborted records.
                unread.discard(partition)
            elif message.error() is None:
                records.append(_record(message))
    return records


def _consumer(servers: str, isolation: Isolation) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": servers,
            "isolation.level": isolation,
            # Required by librdkafka; the group is never joined.
            "group.id": f"reader-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            # Starting over after a lost position would show records twice.
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
            # After this a frozen node is given up for the one that took over.
            "socket.timeout.ms": 3000,
            **QUIET,
        }
    )


def _ranges_within(
    deadline: float, consumer: Consumer, topics: Collection[str]
) -> dict[tuple[str, int], range]:
    while True:
        try:
            return _ranges(consumer, topics)
        except KafkaException:
            # A partition whose leader was killed or frozen has another one soon.
            if time.monotonic() > deadline:
                raise


def _ranges(consumer: Consumer, topics: Collection[str]) -> dict[tuple[str, int], range]:
    known = consumer.list_topics(timeout=REQUEST_TIMEOUT).topics
    missing = set(topics) - set(known)
    if missing:
        message = f"no such topics: {sorted(missing)}"
        raise LookupError(message)
    ranges = {}
    for topic in topics:
        for number in known[topic].partitions:
            partition = TopicPartition(topic, number)
            watermarks = consumer.get_watermark_offsets(partition, timeout=REQUEST_TIMEOUT)
            ranges[topic, number] = range(*watermarks)
    return ranges


def _poll(consumer: Consumer) -> list[Message]:
    messages = consumer.consume(BATCH, POLL_TIMEOUT)
    for message in messages:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
    return messages


def _position(message: Message) -> tuple[tuple[str, int], int]:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return (topic, partition), offset


def _record(message: Message) -> Record:
    (topic, partition), offset = _position(message)
    # As librdkafka gives them; the declared type is what a producer may pass.
    headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    _, timestamp_ms = message.timestamp()
    return Record(
        topic=topic,
        partition=partition,
        offset=offset,
        key=message.key(),
        value=message.value(),
        headers=tuple(headers),
        timestamp_ms=timestamp_ms,
    )
