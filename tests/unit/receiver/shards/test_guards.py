"""The guards of a shard's state: what does not fit is refused, each with its own word."""

import pytest

from receiver.shards.guards import Counts, ShardSpec, checked_position
from receiver.shards.table import BrokenTable, InputPosition, Table
from receiver.shards.witness import Witness

SPEC = ShardSpec("route", "app", "in", "table", partitions=4)
RIGHT = InputPosition(10, 4, 4)


def table(position: InputPosition | None, **entries: bytes) -> Table:
    """Return a restored table."""
    return Table({key.encode(): value for key, value in entries.items()}, position)


def test_what_fits_is_gone_on_with() -> None:
    """The position is the table's own; where there is nothing at all, the input's beginning."""
    assert checked_position(table(RIGHT, a=b"1"), SPEC, 0, Counts(4, 4), 3) == RIGHT
    assert checked_position(table(None), SPEC, 0, Counts(4, 4), 3) == InputPosition(3, 4, 4)


@pytest.mark.parametrize(
    ("position", "counts", "told"),
    [
        (InputPosition(10, 4, 4, moving_to=12), (4, 4), "repartition to 12 is under way"),
        (InputPosition(10, 4, 4, moving_to=12), (12, 12), "repartition to 12 is under way"),
        (InputPosition(10, 12, 12, moving_to=12), (4, 12), "repartition to 12 is under way"),
        (RIGHT, (4, 12), "the same number"),
        (RIGHT, (12, 12), "kafka.partitions is 4"),
        (InputPosition(10, 2, 2), (4, 4), "was written with 2 partitions"),
        (InputPosition(1, 4, 4), (4, 4), "2 records"),
        (None, (4, 4), "no input position"),
    ],
)
def test_what_does_not_fit_is_refused(
    position: InputPosition | None, counts: tuple[int, int], told: str
) -> None:
    """Going on could publish twice, or not at all."""
    with pytest.raises(BrokenTable, match=told):
        checked_position(table(position, a=b"1"), SPEC, 0, Counts(*counts), 3)


@pytest.mark.parametrize("role", ["route", "poll"])
def test_what_was_deleted_unread_is_told_with_the_way_on(role: str) -> None:
    """The command is complete: whoever copies it rewinds this role's partition and no other."""
    spec = ShardSpec(role, "app", "in", "table", partitions=4)
    with pytest.raises(BrokenTable) as refused:
        checked_position(table(InputPosition(1, 4, 4)), spec, 2, Counts(4, 4), 3)
    assert str(refused.value) == (
        "2 records of in/2 were deleted before they were handled: lengthen its retention, "
        f"run 'payevents topics rewind --role {role} --partition 2 --yes', "
        "and reconcile what they held"
    )


def test_positions_written_before_there_were_witnesses_are_read() -> None:
    """Records of earlier versions have neither witness nor move; what is written comes back."""
    restored = Table()
    key = RIGHT.record().key
    restored.apply(key, b'{"offset":10,"input_partitions":4,"table_partitions":4}')
    assert restored.position == RIGHT
    full = InputPosition(10, 4, 4, 12, Witness(9, 1_500_000_000_000, 0xFFFFFFFF))
    restored.apply(key, full.record().value)
    assert restored.position == full
