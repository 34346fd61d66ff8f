"""A new file in the place of one that failed: of a failed attempt nothing is left behind."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.observability.alarms import Alarms
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile
from receiver.spool.locking import lock
from receiver.spool.spool import Spool
from tests.unit.receiver.spool.failing import FULL, Faults
from tests.unit.receiver.spool.test_file import MOST, spooled
from tests.unit.receiver.spool.test_spool import Kafka, drain_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def spool(tmp_path: Path, alarms: Alarms, disk: Faults) -> AsyncIterator[Spool]:
    """Return a spool whose file holds one record, and has failed with the disk."""
    opened = Spool(tmp_path, MOST, alarms)
    await opened.open()
    await opened.append(spooled(1))
    disk.code = FULL
    with pytest.raises(SpoolFailed):
        await opened.append(spooled(2))
    yield opened
    disk.code = 0
    await opened.close()


def names(folder: Path) -> set[str]:
    """Return what is in a folder."""
    return {path.name for path in folder.iterdir()}


def codes(alarms: Alarms) -> list[str]:
    """Return which alarms there are."""
    return [alarm.code for alarm in alarms.present]


async def test_a_failed_attempt_leaves_nothing(tmp_path: Path, spool: Spool) -> None:
    """However often it is tried, the folder holds the file that failed and no other."""
    before = names(tmp_path)
    assert not any([await spool.renew() for _ in range(3)])
    assert names(tmp_path) == before


async def test_a_failed_attempt_is_nobodys_file(
    tmp_path: Path, spool: Spool, alarms: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it cannot even be deleted, it is not taken for one that a dead process left."""
    monkeypatch.setattr("receiver.spool.file.delete", lambda _: None)
    assert not await spool.renew()
    assert len([name for name in names(tmp_path) if name.endswith(".spool")]) == 2
    await drain_of(spool, Kafka()).drain_orphans()
    assert codes(alarms) == ["spool-failed"]


async def test_neighbours_are_not_alarmed(tmp_path: Path, spool: Spool, disk: Faults) -> None:
    """Another process on the folder finds the file that failed in use, and nothing else."""
    assert not await spool.renew()
    neighbours = Alarms(lambda: NOW)
    other = Spool(tmp_path, MOST, neighbours)
    await drain_of(other, Kafka()).drain_orphans()
    assert codes(neighbours) == []
    disk.code = 0
    await other.close()


async def test_when_the_disk_is_mended_all_alarms_are_over(
    spool: Spool, alarms: Alarms, disk: Faults
) -> None:
    """The spool goes on, and what the old file holds is drained."""
    kafka = Kafka()
    drain = drain_of(spool, kafka)
    await drain.renew()
    await drain.drain_orphans()
    disk.code = 0
    await drain.renew()
    await drain.drain_orphans()
    assert kafka.taken[0] == spooled(1).key
    assert codes(alarms) == []


async def test_a_name_that_is_looked_at_is_given_up(
    spool: Spool, alarms: Alarms, disk: Faults
) -> None:
    """Whoever holds the lock, a neighbour or a command, ends no process: the next name is free."""
    disk.code = 0
    held = lock(spool._next_path)
    try:
        assert not await spool.renew()
        assert codes(alarms) == ["spool-failed"]
        assert await spool.renew()
    finally:
        os.close(held)
    assert codes(alarms) == []


async def test_a_name_that_is_looked_at_at_the_start_stops_nothing(
    tmp_path: Path, alarms: Alarms
) -> None:
    """The process starts without a spool file, and has one soon."""
    opened = Spool(tmp_path, MOST, alarms)
    held = lock(opened._next_path)
    try:
        await opened.open()
        assert not opened.available
        assert await opened.renew()
    finally:
        os.close(held)
    await opened.close()


def test_only_a_new_file_is_deleted_when_it_cannot_be_opened(tmp_path: Path) -> None:
    """What stands in a folder may hold what was answered 200, whatever is wrong with it."""
    path = tmp_path / "left.spool"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(SpoolFailed):
        SpoolFile(path, MOST)
    assert path.read_bytes() == b"no database" * 1000


def test_a_file_that_miscounts_is_not_deleted(tmp_path: Path) -> None:
    """Before it is deleted it is asked whether anything is in it."""
    file = SpoolFile(tmp_path / "a.spool", MOST)
    file.append([spooled(1)])
    file.count = 0
    file.close()
    with SpoolFile(tmp_path / "a.spool", MOST) as again:
        assert [stored.spooled for stored in again.oldest(9)] == [spooled(1)]
