"""An open shard: one input partition, one table and one session that commit together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_bytes

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from receiver.kafka.clients import Record
from receiver.kafka.session import Batches, Session, SessionLost
from receiver.kafka.table import BrokenTable, InputPosition, Table, barrier, restore

_RESTORE_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class ShardSpec:
    """What all shards of one role share: the role's name, its two topics and their partitions.

    ``partitions`` is the number in the configuration; None takes whatever the topics have.
    """

    role: str
    application: str
    input_topic: str
    table_topic: str
    partitions: int | None = None

    def transactional_id(self, partition: int) -> str:
        """Return the id that fences: it belongs to the partition, not to a process."""
        return f"{self.application}-{self.input_topic}-{partition}"


@dataclass(frozen=True, slots=True)
class InputRecord:
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
        self, spec: ShardSpec, partition: int, session: Session, consumer: AIOKafkaConsumer
    ) -> None:
        self.spec = spec
        self.partition = partition
        self._session = session
        self._consumer = consumer
        self._table = Table()
        self._input = TopicPartition(spec.input_topic, partition)
        self._reached = 0

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

    def lag(self) -> int | None:
        """Return how many input records wait, None while that is not known."""
        end = self._consumer.highwater(self._input)
        return None if end is None else max(0, end - self.position.offset)

    async def fetch(self, *, wait: float, limit: int) -> Sequence[InputRecord]:
        """Return the next input records, at most ``limit``; none if none came in ``wait`` seconds.

        Raises:
            BrokenTable: records between the position and the topic's beginning are gone.
            SessionLost: Kafka cannot be read.
        """
        try:
            fetched = await self._consumer.getmany(
                self._input, timeout_ms=round(wait * 1000), max_records=limit
            )
            self._reached = await self._consumer.position(self._input)
        except KafkaError as error:
            raise _unreadable(error, self._input) from error
        return [
            InputRecord(record.offset, record.key, record.value, record.headers)
            for records in fetched.values()
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

        Raises:
            SessionLost: see :meth:`Session.commit`; the shard must be started again.
        """
        before = self.position
        position = (
            before
            if offset is None
            else InputPosition(offset, before.input_partitions, before.table_partitions)
        )
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
        counts = [await self._session.partitions(t.topic) for t in (self._input, table_partition)]
        token = token_bytes(16)
        await self._session.commit({tuple(table_partition): [barrier(token)]})
        try:
            # Both are asked before the first fetch: a long poll blocks its connection.
            beginnings = await self._consumer.beginning_offsets([table_partition, self._input])
            self._consumer.assign([table_partition])
            self._consumer.seek(table_partition, beginnings[table_partition])
            self._table = await restore(
                self._consumer,
                table_partition,
                token,
                patience=_RESTORE_PATIENCE,
                progress=progress,
            )
            first = beginnings[self._input]
            self._table.position = self._check_position(first, *counts)
            self._consumer.assign([self._input])
            self._consumer.seek(self._input, self._table.position.offset)
            self._reached = self._table.position.offset
        except (KafkaError, TimeoutError) as error:
            raise SessionLost(f"the table was not restored: {error!r}") from error

    def _check_position(self, first: int, inputs: int, tables: int) -> InputPosition:
        position = self._table.position
        if inputs != tables:
            raise BrokenTable(
                f"{self.spec.input_topic} has {inputs} partitions and {self.spec.table_topic} has "
                f"{tables}: they must have the same number; see 'payevents topics list'"
            )
        if self.spec.partitions not in {None, inputs}:
            # A partition that was added has an empty table: what others published would come again.
            raise BrokenTable(
                f"{self.spec.input_topic} has {inputs} partitions and kafka.partitions is "
                f"{self.spec.partitions}: if it was made so, set kafka.partitions to {inputs};"
                " if it was enlarged, entries would be looked for in the wrong place"
            )
        if position is None:
            if self._table.entries:
                raise BrokenTable(
                    f"{self.spec.table_topic}/{self.partition} has entries but no input position: "
                    "it was not written by payevents alone, or records of it were deleted"
                )
            return InputPosition(first, inputs, tables)
        if (position.input_partitions, position.table_partitions) != (inputs, tables):
            raise BrokenTable(
                f"{self.spec.table_topic} was written with {position.table_partitions} partitions "
                f"and now has {tables}: entries would be looked for in the wrong place"
            )
        if position.offset < first:
            raise BrokenTable(
                f"{first - position.offset} records of {self.spec.input_topic}/{self.partition} "
                "were deleted before they were handled: lengthen the topic's retention, and "
                "reconcile what they held"
            )
        return position


def _unreadable(error: KafkaError, partition: TopicPartition) -> Exception:
    from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

    if isinstance(error, NoOffsetForPartitionError | OffsetOutOfRangeError):
        return BrokenTable(
            f"the position in {partition.topic}/{partition.partition} is outside of the topic: it "
            "was deleted, or made anew"
        )
    return SessionLost(f"{partition} cannot be read: {error!r}")
