"""Reading what contenders publish, as it becomes readable with read_committed."""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from confluent_kafka import Consumer, Message, TopicPartition

from tests.bench.route.verifying import Read
from tests.kafka.readiness import QUIET

_AT_ONCE = 10_000
_AT_MOST = 0.1
_WAIT = 0.02
"""Seconds in which a batch may fill: short, since its end is the end of what is measured."""


class Unreadable(TimeoutError):
    """What was waited for did not become readable in time."""


class Outlet:
    """One topic, read from its beginning on by a reader that stays."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic

    def read(self, count: int, *, within: float, promptly: bool = False) -> list[Read]:
        """Return the next ``count`` records, and what had come with the last.

        ``promptly`` notes the time of each as soon as it comes, which costs more where many do.

        Raises:
            Unreadable: they did not come ``within`` so many seconds.
        """
        found: list[Read] = []
        deadline = time.monotonic() + within
        while len(found) < count:
            if time.monotonic() > deadline:
                where = f"{self._topic} after {within:.0f} seconds"
                raise Unreadable(f"{len(found)} of {count} records could be read in {where}")
            found += self._soonest() if promptly else self.more()
        return found

    def more(self, wait: float = _WAIT) -> list[Read]:
        """Return what comes in ``wait`` seconds."""
        return _good(self._consumer.consume(_AT_ONCE, wait))

    def _soonest(self) -> list[Read]:
        first = self._consumer.poll(_AT_MOST)
        return [] if first is None else _good([first, *self._consumer.consume(_AT_ONCE, 0)])


def _good(messages: Sequence[Message]) -> list[Read]:
    now = time.monotonic()
    return [
        Read(message.partition() or 0, message.key() or b"", message.value() or b"", now)
        for message in messages
        if message.error() is None
    ]


@contextmanager
def outlet(servers: str, topic: str, partitions: int) -> Iterator[Outlet]:
    """Yield a reader of a topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "isolation.level": "read_committed",
            # Required by librdkafka; the group is never joined.
            "group.id": f"bench-{uuid.uuid4()}",
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 100,
            **QUIET,
        }
    )
    with closing(consumer):
        consumer.assign([TopicPartition(topic, each, 0) for each in range(partitions)])
        yield Outlet(consumer, topic)
