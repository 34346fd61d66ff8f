"""The simulated cluster: topics, transactions and groups, as a broker's requests reach them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError, UnknownTopicOrPartitionError

from tests.simulation.group import Group
from tests.simulation.log import Entry, PartitionLog
from tests.simulation.process import OUTSIDE
from tests.simulation.trace import Trace
from tests.simulation.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer to a fetch: records, where the next ones begin, and the log's end."""

    entries: list[Entry]
    next_offset: int
    end: int


class Cluster:
    """Topics with their logs, the transactions and the groups; durable, and never wrong."""

    def __init__(self, topics: Mapping[str, int], rng: Random, trace: Trace) -> None:
        self.topics = dict(topics)
        self.logs = {
            TopicPartition(topic, partition): PartitionLog()
            for topic, partitions in topics.items()
            for partition in range(partitions)
        }
        self.transactions = Transactions(self.log, rng, lambda what: trace.add("cluster", what))
        self.groups: dict[str, Group] = {}
        self._trace = trace

    def log(self, partition: TopicPartition) -> PartitionLog:
        """Return a partition's log.

        Raises:
            UnknownTopicOrPartitionError: there is none.
        """
        if partition not in self.logs:
            raise UnknownTopicOrPartitionError
        return self.logs[partition]

    def partitions_of(self, topic: str) -> list[TopicPartition]:
        """Return the partitions of a topic.

        Raises:
            UnknownTopicOrPartitionError: there is no such topic.
        """
        if topic not in self.topics:
            raise UnknownTopicOrPartitionError
        return [TopicPartition(topic, partition) for partition in range(self.topics[topic])]

    def committed(self, topic: str) -> list[tuple[int, Entry]]:
        """Return all records of a topic that a reader of committed ones gets, partition-wise."""
        return [
            (partition.partition, entry)
            for partition in self.partitions_of(topic)
            for entry in self.log(partition).committed()
        ]

    def group(self, name: str, topic: str) -> Group:
        """Return a group, which is there as soon as it is asked for."""
        if name not in self.groups:
            self.groups[name] = Group(
                self.topics[topic], lambda what: self._trace.add("cluster", f"{name}: {what}")
            )
        return self.groups[name]

    def fetch(
        self,
        partition: TopicPartition,
        offset: int,
        limit: int,
        *,
        wait: float,
        age: float = 0.0,
        committed: bool = True,
    ) -> "asyncio.Future[Fetched]":
        """Answer with records as soon as there are any, or without after ``wait``.

        A leader that was frozen for ``age`` seconds shows what it had before, until it has caught
        up as long afterwards.

        Raises:
            OffsetOutOfRangeError: the log never had the offset.
        """
        log = self.log(partition)
        if not 0 <= offset <= log.end:
            raise OffsetOutOfRangeError
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Fetched] = loop.create_future()

        def try_now(_: object = None, *, last: bool = False) -> None:
            if answer.done():
                return
            before = None if age == 0 else log.stable_end_at(loop.time() - age)
            entries, reached = log.read(offset, limit, before=before, committed=committed)
            if entries or last:
                answer.set_result(Fetched(entries, reached, log.end))
            else:
                log.changed().add_done_callback(try_now, context=OUTSIDE)

        def catch_up() -> None:
            nonlocal age
            age = 0.0
            try_now()

        try_now()
        if not answer.done():
            if 0 < age < wait:
                loop.call_later(age, catch_up, context=OUTSIDE)
            loop.call_later(wait, lambda: try_now(last=True), context=OUTSIDE)
        return answer
