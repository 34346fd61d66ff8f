"""The guards of a shard's state: table, position and topics must fit, or the shard refuses.

To go on with a state that does not fit could publish twice, or not at all.
"""

from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import TopicPartition

from receiver.shards.table import BrokenTable, InputPosition, Table

OTHER_INPUT = (
    "is not the one that was handled: the cluster was restored from a backup, or the topic made "
    "anew: see 'Disaster' in docs/operations.md"
)


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

    @property
    def group(self) -> str:
        """Return the consumer group that says who owns which partition."""
        return f"{self.application}-{self.role}"

    def transactional_id(self, partition: int) -> str:
        """Return the id that fences: it belongs to the partition, not to a process."""
        return f"{self.application}-{self.input_topic}-{partition}"


class Counts(NamedTuple):
    """How many partitions the two topics of a shard have."""

    inputs: int
    tables: int


def checked_position(
    table: Table, spec: ShardSpec, partition: int, counts: Counts, first: int
) -> InputPosition:
    """Return where to go on in the input, whose oldest record has the offset ``first``.

    Raises:
        BrokenTable: table, position and topics do not fit together.
    """
    position = table.position
    check_no_move(position)
    _check_counts(spec, counts)
    if position is None:
        check_empty(table, spec, partition)
        return InputPosition(first, *counts)
    check_counts_of(position, spec, counts)
    if position.offset < first:
        raise BrokenTable(
            f"{first - position.offset} records of {spec.input_topic}/{partition} were deleted "
            "before they were handled: lengthen its retention, run 'payevents topics rewind --role "
            f"{spec.role} --partition {partition} --yes', and reconcile what they held"
        )
    return position


def check_no_move(position: InputPosition | None) -> None:
    """Refuse a partition whose entries are on the move.

    Raises:
        BrokenTable: they are.
    """
    if position is not None and position.moving_to is not None:
        raise BrokenTable(
            f"a repartition to {position.moving_to} is under way: run 'payevents topics "
            "repartition' again; it goes on where it stopped"
        )


def check_counts_of(position: InputPosition | None, spec: ShardSpec, counts: Counts) -> None:
    """Refuse a table that was written, in this partition or another, with other counts.

    Raises:
        BrokenTable: it was, or its entries are on the move.
    """
    check_no_move(position)
    if position is None or (position.input_partitions, position.table_partitions) == counts:
        return
    raise BrokenTable(
        f"{spec.table_topic} was written with {position.table_partitions} partitions and now has "
        f"{counts.tables}: run 'payevents topics repartition' with all routers and pollers stopped"
    )


def check_empty(table: Table, spec: ShardSpec, partition: int) -> None:
    """Refuse entries without a position.

    Raises:
        BrokenTable: there are some.
    """
    if table.entries:
        raise BrokenTable(
            f"{spec.table_topic}/{partition} has entries but no input position: it was not written "
            "by payevents alone, or records of it were deleted"
        )


def outside(partition: TopicPartition) -> BrokenTable:
    """Return what to raise where the input ends before the position in it."""
    return BrokenTable(
        f"the position in {partition.topic}/{partition.partition} is outside of the topic: "
        f"{partition.topic}/{partition.partition} {OTHER_INPUT}"
    )


def _check_counts(spec: ShardSpec, counts: Counts) -> None:
    if counts.inputs != counts.tables:
        raise BrokenTable(
            f"{spec.input_topic} has {counts.inputs} partitions and {spec.table_topic} has "
            f"{counts.tables}: they must have the same number; see 'payevents topics list'"
        )
    if spec.partitions not in {None, counts.inputs}:
        # A partition that was added has an empty table: what others published would come again.
        raise BrokenTable(
            f"{spec.input_topic} has {counts.inputs} partitions and kafka.partitions is "
            f"{spec.partitions}: if it was made so, set kafka.partitions to {counts.inputs}; if it "
            "was enlarged, run 'payevents topics repartition' with all routers and pollers stopped"
        )
