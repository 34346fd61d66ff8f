"""Repartition, the part without Kafka: what moves where, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.kafka.clients import partition_for
from receiver.shards.guards import Counts, ShardSpec
from receiver.shards.repartition.plan import (
    Found,
    Move,
    Pair,
    Refused,
    batches,
    check,
    is_done,
    merged,
    moves,
    transactions,
)
from receiver.shards.repartition.survey import Survey
from receiver.shards.table import InputPosition

PAIR = Pair(ShardSpec("route", "app", "in", "table"), lambda key, _: key, {b"\x00most": max})
OLD, NEW = InputPosition(7, 4, 4), InputPosition(7, 12, 12)
MARKED = InputPosition(7, 4, 4, moving_to=12)


def found(position: InputPosition | None, entries: int = 5) -> Found:
    """Return a partition with this position."""
    return Found(position, entries, 0)


@given(st.sets(st.binary(min_size=1, max_size=8)), st.integers(1, 20), st.integers(1, 20))
def test_after_its_moves_every_entry_is_at_home_and_there_once(
    keys: set[bytes], before: int, after: int
) -> None:
    """Whatever the numbers of partitions are, entries are found where they are looked for."""
    tables: list[dict[bytes, bytes]] = [{} for _ in range(max(before, after))]
    for key in keys:
        tables[partition_for(key, before)][key] = b"value of " + key
    for partition, table in enumerate(tables):
        for group in transactions(moves(dict(table), PAIR.home, partition, after)):
            for (topic, at), records in batches("table", partition, group).items():
                assert topic == "table"
                for record in records:
                    if record.value is None:
                        del tables[at][record.key]
                    else:
                        assert record.key not in tables[at]
                        tables[at][record.key] = record.value
    places = {key: at for at, table in enumerate(tables) for key in table}
    assert places == {key: partition_for(key, after) for key in keys}
    assert all(value == b"value of " + key for table in tables for key, value in table.items())
    assert sum(map(len, tables)) == len(keys)


def test_the_estimate_follows_what_there_is_to_read_and_to_move() -> None:
    """Twice the reading and the entries to move take longer; what is done takes nothing."""
    small = Survey(PAIR, Counts(4, 4), 12, [Found(OLD, 50_000, 40_000)] * 4, seconds=1.0)
    large = Survey(PAIR, Counts(4, 4), 12, [Found(OLD, 100_000, 80_000)] * 4, seconds=2.0)
    done = Survey(PAIR, Counts(12, 12), 12, [found(NEW)] * 12, seconds=2.0)
    assert 2 * 1.0 < small.estimate < large.estimate < 2 * small.estimate
    assert done.estimate == 0.0


def test_what_has_no_home_stays() -> None:
    """An entry that names no partition key is not moved."""
    assert not list(moves({b"a": b"1", b"b": b"2"}, lambda *_: None, 3, 12))


@pytest.mark.parametrize(("size", "most"), [(10, 1000), (500_000, 9)])
def test_transactions_are_bounded_in_entries_and_bytes(size: int, most: int) -> None:
    """Large entries go in small groups; none is left out, and their order is kept."""
    wanted = [Move(str(number).encode(), bytes(size), 1) for number in range(most * 2 + 1)]
    groups = list(transactions(iter(wanted)))
    assert [len(group) for group in groups] == [most, most, 1]
    assert [move for group in groups for move in group] == wanted


@pytest.mark.parametrize(
    ("counts", "partitions", "told"),
    [
        (Counts(16, 16), [found(OLD)], "takes no partitions away"),
        (Counts(4, 16), [found(OLD)], "takes no partitions away"),
        (Counts(4, 8), [found(InputPosition(7, 4, 4, moving_to=8))], "to 8 is under way"),
        (Counts(4, 4), [found(None), found(OLD)], "no input position"),
        (Counts(12, 12), [found(OLD), found(NEW)], "may be published twice"),
    ],
)
def test_what_cannot_be_made_right_is_refused(
    counts: Counts, partitions: list[Found], told: str
) -> None:
    """Nothing is begun that could lose or repeat, and the reason is told."""
    with pytest.raises(Refused, match=told):
        check(PAIR, counts, 12, partitions)


@pytest.mark.parametrize(
    ("counts", "partitions"),
    [
        (Counts(4, 4), [found(OLD), found(None, 0)]),
        (Counts(4, 4), [found(MARKED), found(OLD)]),
        (Counts(4, 12), [found(MARKED), found(None, 0)]),
        (Counts(12, 12), [found(MARKED), found(NEW)]),
        (Counts(12, 12), [found(OLD), found(None, 0)]),
    ],
)
def test_what_was_interrupted_or_enlarged_by_hand_can_be_gone_on_with(
    counts: Counts, partitions: list[Found]
) -> None:
    """Every state that a run can leave behind is taken up, and none of them counts as done."""
    check(PAIR, counts, 12, partitions)
    assert not is_done(counts, 12, partitions)


def test_done_is_what_needs_nothing() -> None:
    """All partitions have the number, or were never worked on."""
    assert is_done(Counts(12, 12), 12, [found(NEW), found(None, 0)])
    assert not is_done(Counts(4, 4), 12, [found(None, 0)])


def test_what_partitions_share_is_merged() -> None:
    """A key that says something about all of a partition is made one of all that have it."""
    tables = [{b"\x00most": b"1", b"a": b"9"}, {}, {b"\x00most": b"3"}]
    assert merged(PAIR, tables) == {b"\x00most": b"3"}
    assert merged(PAIR, [{}, {}]) == {}
