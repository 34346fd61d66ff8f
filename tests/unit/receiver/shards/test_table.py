"""A table is restored to its owner's barrier: what each record means, and who else gets a turn."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from receiver.shards.table import BrokenTable, InputPosition, barrier, restore
from tests.support.turns import others

PARTITION = TopicPartition("table", 3)
TOKEN = b"ours"
END = (barrier(TOKEN).key, TOKEN)
POSITION = InputPosition(7, 4, 4)


class Log:
    """A consumer whose records are all there, so that it never has to wait for any."""

    def __init__(self, *records: tuple[bytes | None, bytes | None]) -> None:
        self._records = [SimpleNamespace(key=key, value=value) for key, value in records]
        self._at = 0

    async def getmany(
        self, partition: TopicPartition, *, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Any]]:
        """Return the next records, without giving up the turn."""
        assert timeout_ms
        first, self._at = self._at, self._at + max_records
        found = self._records[first : self._at]
        return {partition: found} if found else {}


def position(offset: int) -> tuple[bytes, bytes | None]:
    """Return a position's record."""
    written = InputPosition(offset, 4, 4).record()
    return written.key, written.value


async def test_the_last_value_of_a_key_counts() -> None:
    """Values replace each other, a tombstone removes, and a value after it is there again."""
    log: Any = Log((b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None), (b"c", None), END)
    assert (await restore(log, PARTITION, TOKEN)).entries == {b"a": b"2"}
    log = Log((b"a", b"1"), (b"a", None), (b"a", b"3"), END)
    assert (await restore(log, PARTITION, TOKEN)).entries == {b"a": b"3"}


async def test_the_last_position_counts_and_is_no_entry() -> None:
    """Positions are the table's, as are the barriers of earlier owners."""
    log: Any = Log(position(5), (END[0], b"theirs"), (b"a", b"1"), position(7), END)
    table = await restore(log, PARTITION, TOKEN)
    assert (table.position, table.entries) == (POSITION, {b"a": b"1"})


async def test_nothing_after_the_barrier_counts() -> None:
    """It ends at the barrier itself, also where more was fetched with it."""
    log: Any = Log((b"a", b"1"), END, (b"a", b"2"), position(9))
    table = await restore(log, PARTITION, TOKEN)
    assert (table.position, table.entries) == (None, {b"a": b"1"})


async def test_a_record_without_a_key_is_refused() -> None:
    """Nobody but payevents may write there, and it never writes such a record."""
    log: Any = Log((b"a", b"1"), (None, b"1"), END)
    with pytest.raises(BrokenTable, match="has no key"):
        await restore(log, PARTITION, TOKEN)


async def test_others_get_their_turn_while_a_table_is_read() -> None:
    """With all records there already, the loop still comes round every few hundred of them."""
    told: list[int] = []
    log: Any = Log(*((b"%d" % number, b"1") for number in range(10_000)), END)
    async with others() as turns:
        table = await restore(log, PARTITION, TOKEN, progress=told.append)
    assert len(table.entries) == 10_000
    assert next(turns) >= 10
    assert told == sorted(told)
    assert told[-1] > 5_000
