"""A simulated aiokafka consumer of partitions assigned by hand."""

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    IllegalStateError,
    KafkaConnectionError,
    KafkaTimeoutError,
    RequestTimedOutError,
)

from tests.simulation.cluster import Fetched
from tests.simulation.network import Site
from tests.simulation.reader import Reader

_FROZEN = 0.3
"""The share of answers about a partition that come from a leader which was frozen before."""
_PART = 0.3
"""The share of fetches that bring only a part of what there is."""


class SimulatedConsumer(Reader):
    """What the real code uses of ``AIOKafkaConsumer`` without a group."""

    def __init__(
        self, site: Site, *, isolation_level: str = "read_uncommitted", **settings: Any
    ) -> None:
        super().__init__(site, **settings)
        self._committed = isolation_level == "read_committed"
        self._positions: dict[TopicPartition, int | None] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()

    async def stop(self) -> None:
        """End at once."""
        self._closed = True

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these from now on, without a position in any."""
        self._positions = dict.fromkeys(partitions)
        self._paused.clear()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on at ``offset``."""
        if partition not in self._positions:
            raise IllegalStateError
        self._positions[partition] = offset

    def be_patient(self, seconds: float) -> None:
        """Change nothing: a simulated fetch waits for as long as it is asked to."""

    def pause(self, partition: TopicPartition) -> None:
        """Have nothing fetched until :meth:`resume`: here nothing is ever fetched in advance."""
        self._paused.add(partition)

    def resume(self, partition: TopicPartition) -> None:
        """Have it fetched again."""
        self._paused.discard(partition)

    async def position(self, partition: TopicPartition) -> int:
        """Return where the next record is looked for."""
        offset = self._positions[partition]
        assert offset is not None
        return offset

    def highwater(self, partition: TopicPartition) -> int | None:
        """Return the log's end as the last fetch told it."""
        return self._ends.get(partition)

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[Any, int]:
        """Return the first offsets, which never change here.

        Raises:
            KafkaTimeoutError: no answer came.
        """
        return await self._offsets("beginnings", lambda: dict.fromkeys(partitions, 0))

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[Any, int]:
        """Return the last stable offsets, as a leader that was frozen for a while believes them.

        Raises:
            KafkaTimeoutError: no answer came.
        """
        age = self._age_of_leader()

        def ends() -> dict[Any, int]:
            moment = asyncio.get_running_loop().time() - age
            return {p: self._site.cluster.log(p).stable_end_at(moment) for p in partitions}

        return await self._offsets("ends", ends)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """Return records of one of the partitions that are asked for, or none after the time-out.

        Raises:
            KafkaError: they cannot be read.
        """
        # Sorted: what was assigned may have been a set, whose order is another in each process.
        partition = self._site.rng.choice(partitions or sorted(self._positions))
        offset = self._positions[partition]
        if offset is None or partition in self._paused:
            raise IllegalStateError
        limit = max_records or 500
        if self._site.rng.random() < _PART:
            limit = self._site.rng.randint(1, limit)
        wait = timeout_ms / 1000
        age = self._age_of_leader()
        try:
            fetched: Fetched = await self._ask(
                "fetch",
                lambda: self._site.cluster.fetch(
                    partition, offset, limit, wait=wait, age=age, committed=self._committed
                ),
                f"{partition.topic}/{partition.partition} from {offset}",
                patience=wait + 1.0,
                refusal=CorruptRecordException,
            )
        except (RequestTimedOutError, KafkaConnectionError):
            return {}
        return self._take(partition, offset, fetched)

    def _take(
        self, partition: TopicPartition, offset: int, fetched: Fetched
    ) -> dict[TopicPartition, list[Any]]:
        if self._positions.get(partition) != offset:
            return {}
        self._ends[partition] = fetched.end
        reached = fetched.next_offset
        if fetched.entries and self._site.rng.random() < _PART:
            # Markers behind the last record are passed by the next fetch only.
            reached = fetched.entries[-1].offset + 1
        self._positions[partition] = reached
        records = [
            SimpleNamespace(
                topic=partition.topic,
                partition=partition.partition,
                offset=entry.offset,
                key=entry.payload.key,
                value=entry.payload.value,
                headers=entry.payload.headers,
                timestamp=entry.timestamp,
            )
            for entry in fetched.entries
            if entry.payload is not None
        ]
        return {partition: records} if records else {}

    def _age_of_leader(self) -> float:
        """Return for how long the broker that answers was frozen, and so believes what was."""
        rng = self._site.rng
        return rng.choice((1.0, 30.0)) * rng.random() if rng.random() < _FROZEN else 0.0

    async def _offsets(self, what: str, effect: Callable[[], dict[Any, int]]) -> dict[Any, int]:
        try:
            return await self._ask(what, effect)
        except (RequestTimedOutError, KafkaConnectionError) as error:
            raise KafkaTimeoutError from error
