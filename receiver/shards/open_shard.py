"""An open shard: one input partition, one table and one session that commit together."""

from collections.abc import Callable, Mapping, Sequence
from secrets import token_bytes

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from receiver.kafka.clients import Record, partition_for
from receiver.shards.guards import (
    OTHER_INPUT,
    Counts,
    ShardSpec,
    checked_position,
    outside,
)
from receiver.shards.neighbours import Neighbours
from receiver.shards.session import Batches, Session, SessionLost
from receiver.shards.table import BrokenTable, InputPosition, Table, barrier, restore
from receiver.shards.witness import Witness, is_confirmed

__all__ = ["InputRecord", "OpenShard", "ShardSpec", "own_table"]

_WITNESS_PATIENCE = 30.0

BACKLOG = 100
"""Records that are worth a transaction: whoever has as many need not wait for more."""

PATIENCE = 5.0
"""Seconds for which the broker may keep a fetch of an input that has no news.

Half of what a request may take: a leader that hangs is noticed as soon as before.
"""


class InputRecord(msgspec.Struct, frozen=True, gc=False):
    """A record of the shard's input partition."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class OpenShard:
    """A restored shard at work: what the role's own code is given.

    ``entries`` is the table as committed; only :meth:`commit` changes it.
    """

    def __init__(
        self,
        spec: ShardSpec,
        partition: int,
        session: Session,
        consumer: AIOKafkaConsumer,
        neighbours: Neighbours | None = None,
    ) -> None:
        self.spec = spec
        self.partition = partition
        self._session = session
        self._consumer = consumer
        self._neighbours = neighbours or Neighbours()
        self._table = Table()
        self._input = TopicPartition(spec.input_topic, partition)
        self._reached = 0
        self._has_backlog = False
        self._last: Witness | None = None

    @property
    def entries(self) -> Mapping[bytes, bytes]:
        """Return the table's entries."""
        return self._table.entries

    @property
    def position(self) -> InputPosition:
        """Return how far the input has been handled."""
        position = self._table.position
        if position is None:
            raise BrokenTable("the shard is not restored")
        return position

    @property
    def reached(self) -> int:
        """Return the offset after all that was fetched, and after the markers that follow it.

        Markers end transactions and are never fetched. Where nothing follows them, the position
        must pass them all the same: else their deletion, one retention later, would look like that
        of records which nobody handled.
        """
        return self._reached

    def home(self, key: bytes) -> int:
        """Return the partition of the input that records with this partition key belong to."""
        return partition_for(key, self.position.input_partitions)

    def lag(self) -> int | None:
        """Return how many input records wait, None while that is not known."""
        end = self._consumer.highwater(self._input)
        return None if end is None else max(0, end - self.position.offset)

    @property
    def is_caught_up(self) -> bool:
        """Return whether no more input was there when records were last fetched."""
        end = self._consumer.highwater(self._input)
        return end is not None and self.reached >= end

    @property
    def has_backlog(self) -> bool:
        """Return whether the last fetch brought as much as is worth a transaction, or left some."""
        return self._has_backlog

    async def fetch(self, *, wait: float, limit: int) -> Sequence[InputRecord]:
        """Return the next input records, at most ``limit``; none if none came in ``wait`` seconds.

        Except in a backlog they are those that have come by now: what the consumer fetched while
        the last were handled would be the first that came then, and the rest would wait once more.

        Raises:
            BrokenTable: records between the position and the topic's beginning are gone.
            SessionLost: Kafka cannot be read.
        """
        self._consumer.resume(self._input)
        try:
            fetched = await self._consumer.getmany(
                self._input, timeout_ms=round(wait * 1000), max_records=limit
            )
            self._reached = await self._consumer.position(self._input)
        except KafkaError as error:
            raise _unreadable(error, self._input) from error
        records = [record for batch in fetched.values() for record in batch]
        self._has_backlog = len(records) >= BACKLOG or not self.is_caught_up
        if records:
            self._last = Witness.of(records[-1])
            if not self._has_backlog:
                self._consumer.pause(self._input)
        elif self.is_caught_up:
            # Of all that an idle process does, asking for news is the most.
            self._consumer.be_patient(PATIENCE)
        return [
            InputRecord(record.offset, record.key, record.value, record.headers)
            for record in records
        ]

    async def partitions(self, topic: str) -> int:
        """Return how many partitions an output topic has.

        Raises:
            SessionLost: it is not there, or Kafka does not say.
        """
        return await self._session.partitions(topic)

    async def commit(
        self,
        changes: Mapping[bytes, bytes | None],
        *,
        outputs: Batches | None = None,
        offset: int | None = None,
    ) -> None:
        """Commit table changes, outputs and the new input offset together, or none of them.

        An ``offset`` says that all before it is handled, and all that was fetched is before it.

        Raises:
            SessionLost: see :meth:`Session.commit`; the shard must be started again.
        """
        position = self.position
        if offset is not None:
            position = msgspec.structs.replace(position, offset=offset, witness=self._last)
        records = [Record(key, value) for key, value in changes.items()]
        records.append(position.record())
        batches = {**(outputs or {}), (self.spec.table_topic, self.partition): records}
        await self._session.commit(batches)
        self._table.merge(changes, position)

    async def restore(self, progress: Callable[[int], None]) -> None:
        """Make the table what it was at the last commit of any owner, and go to its position.

        Raises:
            SessionLost: Kafka cannot be reached or another owner has started.
            BrokenTable: the table or the position cannot be trusted.
        """
        table_partition = TopicPartition(self.spec.table_topic, self.partition)
        counts = Counts(
            await self._session.partitions(self.spec.input_topic),
            await self._session.partitions(self.spec.table_topic),
        )
        try:
            # Asked before the first fetch: a long poll blocks its connection.
            beginnings = await self._consumer.beginning_offsets([self._input])
            first = beginnings[self._input]
            self._table = await own_table(self._session, self._consumer, table_partition, progress)
            position = checked_position(self._table, self.spec, self.partition, counts, first)
            if self._table.position is None:
                await self._begin(position, counts)
            self._consumer.assign([self._input])
            await self._hear_witness(position, first)
            self._consumer.seek(self._input, position.offset)
        except (KafkaError, TimeoutError) as error:
            raise SessionLost(f"the table was not restored: {error!r}") from error
        self._table.position = position
        self._reached, self._last = position.offset, position.witness

    async def _begin(self, position: InputPosition, counts: Counts) -> None:
        """Begin with an empty table, unless it is empty because the topics were enlarged by hand.

        The position is committed before anything else, so that whoever looks at this partition
        knows of it.
        """
        await self._neighbours.check(self._consumer, self.spec, counts)
        place = (self.spec.table_topic, self.partition)
        await self._session.commit({place: [position.record()]})

    async def _hear_witness(self, position: InputPosition, first: int) -> None:
        try:
            confirmed = await is_confirmed(
                self._consumer,
                self._input,
                position.witness,
                first=first,
                patience=_WITNESS_PATIENCE,
            )
        except KafkaError as error:
            raise _unreadable(error, self._input) from error
        if not confirmed:
            where = f"{self._input.topic}/{self._input.partition}"
            raise BrokenTable(f"{where} {OTHER_INPUT}")


async def own_table(
    session: Session,
    consumer: AIOKafkaConsumer,
    partition: TopicPartition,
    progress: Callable[[int], None] = lambda _: None,
) -> Table:
    """Return a table as the last commit of any owner left it; ``session`` is the owner now.

    Raises:
        Exception: as :meth:`Session.commit` and :func:`restore`.
    """
    token = token_bytes(16)
    await session.commit({tuple(partition): [barrier(token)]})
    # Asked before the first fetch: a long poll blocks its connection.
    beginnings = await consumer.beginning_offsets([partition])
    consumer.assign([partition])
    consumer.seek(partition, beginnings[partition])
    return await restore(consumer, partition, token, progress=progress)


def _unreadable(error: KafkaError, partition: TopicPartition) -> Exception:
    from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

    if isinstance(error, NoOffsetForPartitionError | OffsetOutOfRangeError):
        return outside(partition)
    return SessionLost(f"{partition} cannot be read: {error!r}")
