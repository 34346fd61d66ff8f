"""What is to be moved, and whether it may be: worked out without Kafka."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeAlias

from receiver.kafka.clients import Record, partition_for
from receiver.shards.guards import Counts, ShardSpec
from receiver.shards.session import Batches
from receiver.shards.table import InputPosition

Merge: TypeAlias = Callable[[bytes, bytes], bytes]
"""Makes one value of two that two partitions have for the same key."""

Home: TypeAlias = Callable[[bytes, bytes], bytes | None]
"""Says of an entry's key and value which partition key it belongs to; None: it stays anywhere."""

_MOST_ENTRIES = 1_000
_MOST_BYTES = 4 << 20
"""Of one transaction: the entries of a watchlist may have half a megabyte each."""


class Refused(Exception):
    """The partitions cannot be moved as things are; nothing was changed. ``str()`` says why."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An input, its table, and where the entries of the table belong.

    ``common`` names the keys that say something about all of a partition: in the end each partition
    has what those of all partitions are merged to.
    """

    spec: ShardSpec
    home: Home
    common: Mapping[bytes, Merge] = field(default_factory=dict)

    @property
    def topics(self) -> tuple[str, str]:
        """Return the input's topic and the table's."""
        return self.spec.input_topic, self.spec.table_topic


@dataclass(frozen=True, slots=True)
class Found:
    """A partition of a table as it is: its position, entries, and those that belong elsewhere."""

    position: InputPosition | None
    entries: int
    misplaced: int


@dataclass(frozen=True, slots=True)
class Move:
    """An entry on its way home."""

    key: bytes
    value: bytes
    home: int


def is_settled(position: InputPosition | None, target: int) -> bool:
    """Tell whether shards may work on the partition, once there are ``target`` partitions."""
    if position is None or position.moving_to is not None:
        return False
    return (position.input_partitions, position.table_partitions) == (target, target)


def is_done(counts: Counts, target: int, found: Sequence[Found]) -> bool:
    """Tell whether nothing is left to do. A partition that was never worked on needs nothing."""
    return counts == (target, target) and all(
        each.position is None or is_settled(each.position, target) for each in found
    )


def check(pair: Pair, counts: Counts, target: int, found: Sequence[Found]) -> None:
    """Do nothing if the pair may be moved to ``target`` partitions.

    Raises:
        Refused: it may not.
    """
    table_topic = pair.spec.table_topic
    for topic, count in zip(pair.topics, counts, strict=True):
        if count > target:
            raise Refused(
                f"{topic} has {count} partitions and kafka.partitions is {target}: Kafka takes no "
                f"partitions away; set kafka.partitions to {count} or more"
            )
    positions = [each.position for each in found if each.position is not None]
    for position in positions:
        if position.moving_to not in {None, target}:
            raise Refused(
                f"a repartition to {position.moving_to} is under way: set kafka.partitions to "
                f"{position.moving_to} and run it to its end first"
            )
    for partition, each in enumerate(found):
        if each.position is None and each.entries:
            raise Refused(f"{table_topic}/{partition} has entries but no input position")
    settled = any(is_settled(position, target) for position in positions)
    unmarked = any(
        position.moving_to is None and not is_settled(position, target) for position in positions
    )
    if settled and unmarked:
        # Entries may be in two places, and no one can say which of them is right.
        raise Refused(
            f"some partitions of {table_topic} were worked on with {target} partitions before the "
            "entries of the others were moved: what was published there may be published twice"
        )


def merged(pair: Pair, tables: Sequence[Mapping[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return what the values of the pair's common keys in ``tables`` are merged to."""
    return {
        key: reduce(merge, values)
        for key, merge in pair.common.items()
        if (values := [table[key] for table in tables if key in table])
    }


def moves(
    entries: Mapping[bytes, bytes], home: Home, partition: int, partitions: int
) -> Iterator[Move]:
    """Yield the entries of ``partition`` whose home is another of so many ``partitions``."""
    for key, value in entries.items():
        place = home(key, value)
        if place is not None:
            at = partition_for(place, partitions)
            if at != partition:
                yield Move(key, value, at)


def transactions(wanted: Iterator[Move]) -> Iterator[list[Move]]:
    """Yield the moves in groups that fit into one transaction each."""
    group: list[Move] = []
    size = 0
    for move in wanted:
        group.append(move)
        size += len(move.key) + len(move.value)
        if len(group) >= _MOST_ENTRIES or size >= _MOST_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def batches(topic: str, partition: int, group: Sequence[Move]) -> Batches:
    """Return what one transaction writes: each entry at its home, and its end in ``partition``."""
    written: dict[tuple[str, int], list[Record]] = {
        (topic, partition): [Record(move.key, None) for move in group]
    }
    for move in group:
        written.setdefault((topic, move.home), []).append(Record(move.key, move.value))
    return written
