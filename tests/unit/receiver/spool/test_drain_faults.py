"""Draining a spool whose disk is at fault: what can be read reaches Kafka all the same."""

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from receiver.observability.alarms import Alarms
from receiver.spool.drain import BATCH
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile
from receiver.spool.spool import Spool
from tests.unit.receiver.spool.test_file import spooled
from tests.unit.receiver.spool.test_spool import Kafka, drain_of

MOST = 1 << 20
MANY = 2 * BATCH + 50


def left_behind(folder: Path, name: str, count: int) -> Path:
    """Leave a spool file as a dead process does."""
    path = folder / f"{name}.spool"
    with SpoolFile(path, MOST) as file:
        file.append([spooled(number) for number in range(count)])
    return path


def damage(folder: Path) -> None:
    """Make what is in the one spool file unreadable."""
    [path] = folder.glob("*.spool")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE spooled SET headers = x'c1'")


def spool_files(folder: Path) -> list[Path]:
    """Return the spool files in a folder."""
    return list(folder.glob("*.spool"))


def refuse(*_: object) -> None:
    """Fail as a disk without room does."""
    raise SpoolFailed("database or disk is full")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every removal fail, as it does on a disk without room for the log of it."""
    monkeypatch.setattr(SpoolFile, "remove", refuse)


@pytest.mark.usefixtures("full_disk")
async def test_what_cannot_be_removed_is_sent_once_and_told(tmp_path: Path, alarms: Alarms) -> None:
    """All of it, not the first batch again and again; and the spool takes no more."""
    spool, kafka = Spool(tmp_path, MOST, alarms), Kafka()
    await spool.open()
    for number in range(MANY):
        await spool.append(spooled(number))
    drain = drain_of(spool, kafka)
    await drain._drain_own()
    assert kafka.taken == [spooled(number).key for number in range(MANY)]
    assert [alarm.code for alarm in alarms.present] == ["spool-failed"]
    with pytest.raises(SpoolFailed):
        await spool.append(spooled(MANY))
    await drain._drain_own()
    assert len(kafka.taken) == MANY
    await spool.close()


@pytest.mark.usefixtures("full_disk")
async def test_what_a_dead_process_left_on_a_full_disk_is_sent_whole(
    tmp_path: Path, alarms: Alarms
) -> None:
    """Then it is set aside with an alarm, and the next file has its turn."""
    left = [left_behind(tmp_path, name, MANY) for name in ("a", "b")]
    spool, kafka = Spool(tmp_path, MOST, alarms), Kafka()
    await spool.open()
    await drain_of(spool, kafka).drain_orphans()
    assert len(kafka.taken) == len(left) * MANY
    assert [alarm.code for alarm in alarms.present] == ["spool-damaged"]
    assert all(path.exists() for path in left)
    await spool.close()


async def test_a_spool_that_cannot_be_read_is_told(tmp_path: Path, alarms: Alarms) -> None:
    """Webhooks that were answered 200 wait in it: an alarm, not a line in the log."""
    spool = Spool(tmp_path, MOST, alarms)
    await spool.open()
    await spool.append(spooled(1))
    damage(tmp_path)
    await drain_of(spool, Kafka())._drain_own()
    assert [alarm.code for alarm in alarms.present] == ["spool-failed"]
    assert not spool.available
    await spool.close()


async def test_a_mended_disk_is_gone_on_with_in_a_new_file(
    tmp_path: Path, alarms: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No restart is needed; what the old file holds is drained, and what the new one holds too."""
    spool, kafka = Spool(tmp_path, MOST, alarms), Kafka(takes=0)
    await spool.open()
    for number in range(3):
        await spool.append(spooled(number))
    kafka.takes = 1_000_000
    drain = drain_of(spool, kafka)
    with monkeypatch.context() as broken:
        broken.setattr(SpoolFile, "append", refuse)
        broken.setattr(SpoolFile, "remove", refuse)
        await drain._drain_own()
        with pytest.raises(SpoolFailed):
            await spool.append(spooled(3))
    await drain.renew()
    assert spool.available
    assert list(alarms.present) == []
    await spool.append(spooled(4))
    await drain._drain_own()
    assert kafka.taken[-1] == spooled(4).key
    assert await drain.drain_orphans() == 3
    assert spool.count == 0
    await spool.close()
    assert spool_files(tmp_path) == []


async def test_a_disk_that_is_still_broken_is_not_littered(
    tmp_path: Path, alarms: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often a new file is tried that cannot be removed, it is one, and the alarm stays."""
    spool = Spool(tmp_path, MOST, alarms)
    await spool.open()
    spool.fail(SpoolFailed("the disk is broken"))
    tried: list[Path] = []

    def refused(path: Path, *_: object, **__: object) -> SpoolFile:
        tried.append(path)
        path.touch()
        raise SpoolFailed("still broken")

    monkeypatch.setattr("receiver.spool.spool.SpoolFile", refused)
    assert not any([await spool.renew() for _ in range(5)])
    assert (len(tried), len(set(tried))) == (5, 1)
    assert [alarm.why for alarm in alarms.present] == ["still broken"]
    await spool.close()


@pytest.mark.parametrize(
    "turned",
    ["headers = x'9192a46eeda465c40176'", "headers = 'text'", "headers = NULL"],
    ids=["a name that is no UTF-8", "text", "nothing"],
)
async def test_one_bad_row_costs_what_is_in_it_and_no_process(
    tmp_path: Path, alarms: Alarms, turned: str
) -> None:
    """SQLite does not look into what it keeps; what comes before it and other files are sent."""
    left_behind(tmp_path, "a", 3)
    with closing(sqlite3.connect(tmp_path / "a.spool")) as database, database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', '')")
    with closing(sqlite3.connect(tmp_path / "a.spool")) as database, database:
        database.execute(f"UPDATE spooled SET {turned} WHERE row = 3")  # noqa: S608 - the test's
    left_behind(tmp_path, "b", 2)
    spool, kafka = Spool(tmp_path, MOST, alarms), Kafka()
    await spool.open()
    await drain_of(spool, kafka).drain_orphans()
    assert kafka.taken == [spooled(number).key for number in (0, 1, 0, 1)]
    assert [alarm.code for alarm in alarms.present] == ["spool-damaged"]
    assert (tmp_path / "a.spool").exists()
    await spool.close()


async def test_a_machine_out_of_files_ends_no_process(
    tmp_path: Path, alarms: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spool fails, as with any disk that does not answer, and is tried again."""
    spool = Spool(tmp_path, MOST, alarms)

    def too_many(_: Path) -> str:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as out_of_files:
        out_of_files.setattr("receiver.spool.spool.file_system", too_many)
        await spool.open()
        assert not await spool.renew()
        assert [alarm.code for alarm in alarms.present] == ["spool-failed"]
    assert await spool.renew()
    await spool.close()


async def test_a_name_that_cannot_be_locked_is_not_tried_for_ever(
    tmp_path: Path, alarms: Alarms
) -> None:
    """Such as one whose lock somebody else made, and owns."""
    spool = Spool(tmp_path, MOST, alarms)
    Path(f"{spool._next_path}.lock").mkdir()  # noqa: ASYNC240 - one folder
    await spool.open()
    assert not spool.available
    assert await spool.renew()
    await spool.close()
