"""What a dead process left on a disk that takes no writes: read, sent once, and never deleted."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from receiver.kafka.appender import NotDurable
from receiver.observability.alarms import Alarms
from receiver.spool.drain import BATCH, Drain
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile
from receiver.spool.spool import Spool
from tests.support.mounts import read_only
from tests.unit.receiver.spool.clock import timed_drain_of
from tests.unit.receiver.spool.failing import FULL, failing_disk
from tests.unit.receiver.spool.test_file import MOST, spooled
from tests.unit.receiver.spool.test_refused_records import Choosy
from tests.unit.receiver.spool.test_spool import Kafka, drain_of

MANY = 2 * BATCH + 50
KEYS = [spooled(number).key for number in range(MANY)]


@pytest.fixture
async def spool(folder: Path, alarms: Alarms) -> AsyncIterator[Spool]:
    """Return a spool that was not opened: it only drains what others left."""
    spool = Spool(folder, MOST, alarms)
    yield spool
    await spool.close()


def left_by_a_kill(folder: Path, name: str = "dead", count: int = MANY) -> Path:
    """Leave a spool file as a killed process does: all that it holds is in its log."""
    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere) / f"{name}.spool"
        with SpoolFile(path, MOST) as file:
            file.append([spooled(number) for number in range(count)])
            for part in Path(elsewhere).iterdir():
                shutil.copy(part, folder)
    return folder / path.name


def left_closed(folder: Path, name: str = "dead", count: int = MANY) -> Path:
    """Leave a spool file as a process does that ends in order: there is no log."""
    path = folder / f"{name}.spool"
    with SpoolFile(path, MOST) as file:
        file.append([spooled(number) for number in range(count)])
    return path


def is_there(path: Path) -> bool:
    """Tell whether a file, or anything beside it, is there."""
    return any(path.parent.glob(f"{path.name}*"))


def codes(alarms: Alarms) -> list[str]:
    """Return which alarms there are."""
    return [alarm.code for alarm in alarms.present]


async def drained_again(spool: Spool, drain: Drain) -> int:
    """Try once more what was set aside, as is done every few minutes."""
    spool.orphans.try_again()
    return await drain.drain_orphans()


@pytest.mark.parametrize("left", [left_by_a_kill, left_closed])
async def test_what_is_on_a_read_only_disk_is_sent_once_and_removed_when_it_is_mended(
    folder: Path, spool: Spool, alarms: Alarms, left: Callable[[Path], Path]
) -> None:
    """However often it is tried; the alarm stays as long as the file does."""
    path, kafka = left(folder), Kafka()
    drain = drain_of(spool, kafka)
    with read_only(folder):
        assert await drain.drain_orphans() == MANY
        assert kafka.taken == KEYS
        for _ in range(3):
            assert await drained_again(spool, drain) == 0
            assert await drain.drain_orphans() == 0
            assert codes(alarms) == ["spool-damaged"]
    assert kafka.taken == KEYS
    assert is_there(path)
    assert await drained_again(spool, drain) == MANY
    assert codes(alarms) == []
    assert not is_there(path)


async def test_an_interrupted_drain_of_a_read_only_disk_goes_on_where_it_was(
    folder: Path, spool: Spool
) -> None:
    """Nothing can be removed meanwhile, and nothing whole is sent twice."""
    left_by_a_kill(folder)
    kafka = Kafka(takes=BATCH + 7)
    drain = drain_of(spool, kafka)
    with read_only(folder):
        with pytest.raises(NotDurable):
            await drain.drain_orphans()
        kafka.takes = 1_000_000
        assert await drain.drain_orphans() == MANY - BATCH
    assert set(kafka.taken) == set(KEYS)


async def test_what_was_refused_on_a_read_only_disk_is_tried_again(
    folder: Path, spool: Spool
) -> None:
    """The inbox may take it by then."""
    left_closed(folder, count=3)
    kafka = Choosy()
    kafka.refuses = frozenset({KEYS[1]})
    drain = drain_of(spool, kafka)
    with read_only(folder):
        await drain.drain_orphans()
        await drained_again(spool, drain)
        assert KEYS[1] not in kafka.taken
        kafka.refuses = frozenset()
        await drained_again(spool, drain)
    assert set(kafka.taken) == set(KEYS[:3])


async def test_what_is_on_a_full_disk_is_sent_once(
    folder: Path, spool: Spool, alarms: Alarms
) -> None:
    """Removing takes room too: nothing is sent again before there is some."""
    path, kafka = left_by_a_kill(folder), Kafka()
    drain = drain_of(spool, kafka)
    with failing_disk(folder) as disk:
        disk.code = FULL
        assert await drain.drain_orphans() == MANY
        assert await drained_again(spool, drain) == 0
        assert kafka.taken == KEYS
        assert codes(alarms) == ["spool-damaged"]
        disk.code = 0
        assert await drained_again(spool, drain) == MANY
    assert not path.exists()
    assert codes(alarms) == []


async def test_what_is_set_aside_is_tried_at_once_when_the_spool_goes_on(
    folder: Path, alarms: Alarms
) -> None:
    """A disk that takes a new file may let the old ones be emptied, too."""
    path, spool = left_closed(folder, count=3), Spool(folder, MOST, alarms)
    drain = drain_of(spool, Kafka())
    with read_only(folder):
        await spool.open()
        await drain.drain_orphans()
        assert codes(alarms) == ["spool-failed", "spool-damaged"]
    await drain.renew()
    await drain.drain_orphans()
    assert codes(alarms) == []
    assert not is_there(path)
    await spool.close()


async def test_what_cannot_be_removed_after_all_is_sent_again_one_batch_at_most(
    folder: Path, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that takes a little and then no more has not the whole file sent each time."""
    left_closed(folder)
    kafka = Kafka()
    drain = drain_of(spool, kafka)

    def refuse(*_: object) -> None:
        raise SpoolFailed("database or disk is full")

    with monkeypatch.context() as full:
        full.setattr(SpoolFile, "remove", refuse)
        assert await drain.drain_orphans() == MANY
        assert await drained_again(spool, drain) == BATCH
        assert await drained_again(spool, drain) == BATCH
    assert await drained_again(spool, drain) == MANY


async def test_a_file_that_was_taken_away_ends_its_alarm(
    folder: Path, spool: Spool, alarms: Alarms
) -> None:
    """No restart is needed, and the alarm names the others as long as there are any."""
    for name in ("a", "b"):
        (folder / f"{name}.spool").write_bytes(b"no database" * 1000)
    drain = drain_of(spool, Kafka())
    await drain.drain_orphans()
    [alarm] = alarms.present
    assert alarm.why.endswith("a.spool: file is not a database (and 1 file more)")
    (folder / "a.spool").unlink()
    await drain.drain_orphans()
    [alarm] = alarms.present
    assert alarm.why.endswith("b.spool: file is not a database")
    (folder / "b.spool").unlink()
    await drain.drain_orphans()
    assert codes(alarms) == []


async def test_a_folder_that_cannot_be_looked_into_is_an_alarm(
    folder: Path, alarms: Alarms
) -> None:
    """Nobody knows what waits there; nothing ends by it."""
    (folder / "spool").touch()
    spool = Spool(folder / "spool", MOST, alarms)
    drain = drain_of(spool, Kafka())
    assert await drain.drain_orphans() == 0
    assert codes(alarms) == ["spool-damaged"]
    (folder / "spool").unlink()
    await drain.drain_orphans()
    assert codes(alarms) == []
    await spool.close()


async def test_what_is_set_aside_is_tried_again_by_itself(
    folder: Path, spool: Spool, alarms: Alarms
) -> None:
    """The running drain does it within minutes: no restart, and nobody's help."""
    path = left_closed(folder, count=3)
    drain, clock = timed_drain_of(spool, Kafka())
    with read_only(folder):
        await drain.drain_orphans()
    await clock.run(drain, seconds=320)
    assert codes(alarms) == []
    assert not is_there(path)
