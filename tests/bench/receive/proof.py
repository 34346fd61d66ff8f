"""What makes a 200 count: its record, read afterwards by somebody else."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from tests.bench.receive.traffic import Traffic
from tests.kafka.readiness import QUIET

HEADERS: Final = frozenset(
    f"payevents-{name}"
    for name in ("account", "origin", "topic", "received-at", "request-id", "signed-with")
)
"""The headers that every record of a webhook has, whoever wrote it."""

Ends = Mapping[int, int]
"""The end of each partition of a topic, as an offset."""

_BATCH = 5000
_ASK_WITHIN = 10.0
_READ_WITHIN = 60.0
_POLL = 0.2


class NotDurableError(AssertionError):
    """A request was answered 200, and what it sent is not in the topic as it was sent."""


class Proof:
    """Compares the records of a topic with how often each webhook was answered 200."""

    def __init__(self, sent: Traffic, acknowledged: Sequence[int]) -> None:
        self._keys = sent.keys
        self._numbers = _numbers(sent)
        self._owed = list(acknowledged)
        self.missing = sum(acknowledged)

    def see(self, key: bytes | None, body: bytes | None) -> None:
        """Take a record for one 200 of its webhook.

        More records than 200s are no fault: whoever got no answer may still have been heard.

        Raises:
            NotDurableError: no webhook was sent with this body, or its record has another key.
        """
        number = self._numbers.get(body or b"")
        if number is None:
            raise NotDurableError(f"nobody sent {body!r}")
        if key != self._keys[number]:
            raise NotDurableError(f"{self._keys[number]!r} was written as {key!r}")
        if self._owed[number]:
            self._owed[number] -= 1
            self.missing -= 1


@dataclass(frozen=True, slots=True)
class Inbox:
    """The topic that the contenders append to."""

    servers: str
    topic: str
    partitions: int

    def ends(self) -> Ends:
        """Return where it ends now.

        Raises:
            KafkaException: nobody can say.
        """
        with closing(self._consumer()) as consumer:
            return {number: self._end(consumer, number) for number in range(self.partitions)}

    def _end(self, consumer: Consumer, number: int) -> int:
        partition = TopicPartition(self.topic, number)
        deadline = time.monotonic() + _ASK_WITHIN
        while True:
            try:
                return consumer.get_watermark_offsets(partition, timeout=_ASK_WITHIN)[1]
            except KafkaException:
                # A topic that was just made has no leader yet.
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL)

    def prove(self, since: Ends, sent: Traffic, acknowledged: Sequence[int]) -> None:
        """Read with read_committed what came after ``since``, until every 200 is accounted for.

        Raises:
            NotDurableError: one is not, or a record is not what its sender meant.
        """
        proof = Proof(sent, acknowledged)
        for number, message in enumerate(self._records(since, lambda: proof.missing == 0)):
            if number == 0:
                _check_headers(message)
            proof.see(message.key(), message.value())
        if proof.missing:
            raise NotDurableError(f"{proof.missing} of {sum(acknowledged)} 200s are in no topic")

    def _records(self, since: Ends, done: Callable[[], bool]) -> Iterator[Message]:
        deadline = time.monotonic() + _READ_WITHIN
        with closing(self._consumer()) as consumer:
            consumer.assign([TopicPartition(self.topic, *end) for end in since.items()])
            while not done() and time.monotonic() < deadline:
                for message in consumer.consume(_BATCH, _POLL):
                    if message.error() is None:
                        yield message

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                "bootstrap.servers": self.servers,
                "isolation.level": "read_committed",
                # Required by librdkafka; the group is never joined.
                "group.id": "bench-reader",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 50,
                **QUIET,
            }
        )


@lru_cache(maxsize=2)
def _numbers(sent: Traffic) -> dict[bytes, int]:
    return {webhook.body: number for number, webhook in enumerate(sent.webhooks)}


def _check_headers(message: Message) -> None:
    headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    names = {name for name, _ in headers}
    if names != HEADERS:
        raise NotDurableError(f"a record has the headers {sorted(names)}")
