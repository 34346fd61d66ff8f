"""The disk fails under a spool that is written to: never a false 200, and nothing confirmed lost.

The disk is SQLite's own way to it, which fails as told, and where this machine can mount one, a
real one that is full or turns read-only.
"""

import errno
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from receiver.observability.alarms import Alarms
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import Spooled, SpoolFile
from receiver.spool.spool import Spool
from tests.support.mounts import can_mount, enlarge, read_only, small_disk
from tests.unit.receiver.spool.failing import (
    CHANGES,
    FULL,
    READ_ONLY,
    SYNC_FAILED,
    SYNCS,
    WRITE_FAILED,
    Faults,
    failing_disk,
)
from tests.unit.receiver.spool.test_file import MOST, spooled
from tests.unit.receiver.spool.test_spool import Kafka, drain_of

FAULTS = [
    pytest.param(Faults(SYNCS, SYNC_FAILED), id="fsync"),
    pytest.param(Faults(CHANGES, FULL), id="full"),
    pytest.param(Faults(CHANGES, READ_ONLY), id="read-only"),
    pytest.param(Faults(CHANGES, WRITE_FAILED), id="write"),
]


@pytest.fixture
async def spool(tmp_path: Path, disk: Faults, alarms: Alarms) -> AsyncIterator[Spool]:
    """Return an open spool on that disk."""
    opened = Spool(tmp_path, MOST, alarms)
    await opened.open()
    yield opened
    disk.code = 0
    await opened.close()


def codes(alarms: Alarms) -> list[str]:
    """Return which alarms there are."""
    return [alarm.code for alarm in alarms.present]


async def confirmed(spool: Spool, records: list[Spooled]) -> list[bytes]:
    """Append one record after another; return the keys of those that were confirmed."""
    keys = []
    for record in records:
        try:
            await spool.append(record)
        except SpoolFailed:
            continue
        keys.append(record.key)
    return keys


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_was_confirmed_is_kept_and_nothing_is_confirmed_by_a_disk_that_fails(
    spool: Spool, disk: Faults, alarms: Alarms, fault: Faults
) -> None:
    """Nor once it says that all is well again: only a new file is trusted then."""
    kept = await confirmed(spool, [spooled(number) for number in range(3)])
    disk.operations, disk.code = fault.operations, fault.code
    assert await confirmed(spool, [spooled(3)]) == []
    assert codes(alarms) == ["spool-failed"]
    disk.code = 0
    assert await confirmed(spool, [spooled(4)]) == []
    failed = spool._file
    assert await spool.renew()
    assert spool._file is not failed
    assert codes(alarms) == []
    kept += await confirmed(spool, [spooled(5)])
    assert kept == [spooled(number).key for number in (0, 1, 2, 5)]
    kafka = Kafka()
    drain = drain_of(spool, kafka)
    await drain._drain_own()
    await drain.drain_orphans()
    assert set(kept) <= set(kafka.taken)


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_new_file_is_trusted_on_a_disk_that_still_fails(
    spool: Spool, disk: Faults, alarms: Alarms, fault: Faults
) -> None:
    """The alarm stays, and so does what the old file holds."""
    await spool.append(spooled(1))
    disk.operations, disk.code = fault.operations, fault.code
    assert await confirmed(spool, [spooled(2)]) == []
    assert not await spool.renew()
    assert await confirmed(spool, [spooled(3)]) == []
    assert codes(alarms) == ["spool-failed"]
    assert (await spool.oldest(9))[0].spooled == spooled(1)


def test_a_folder_that_cannot_be_synced_is_no_place_for_a_spool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose name may be gone after a power cut is not written to."""

    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SpoolFailed, match="Input/output error"):
        SpoolFile(tmp_path / "a.spool", MOST, is_new=True)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Have a disk, a real one if it can be; return how to fill it and how to give it room."""
    if can_mount():
        with small_disk(tmp_path, "1m"):
            yield (lambda: _fill(tmp_path)), (lambda: enlarge(tmp_path, "32m"))
    else:
        with failing_disk(tmp_path) as faults:
            yield (lambda: setattr(faults, "code", FULL)), (lambda: setattr(faults, "code", 0))


def _fill(folder: Path) -> None:
    with (folder / "others").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


async def test_a_disk_that_is_full_takes_nothing_until_it_has_room(
    tmp_path: Path, small: tuple[Callable[[], None], Callable[[], None]], alarms: Alarms
) -> None:
    """What was confirmed before is sent while it is full, and what comes is confirmed after."""
    fill, make_room = small
    spool, kafka = Spool(tmp_path, MOST, alarms), Kafka()
    await spool.open()
    kept = await confirmed(spool, [spooled(number, 4000) for number in range(20)])
    assert len(kept) == 20
    fill()
    assert await confirmed(spool, [spooled(number, 400_000) for number in range(20, 23)]) == []
    drain = drain_of(spool, kafka)
    await drain.renew()
    await drain._drain_own()
    await drain.drain_orphans()
    assert kafka.taken == kept
    assert codes(alarms) == ["spool-failed"]
    make_room()
    await drain.renew()
    kept += await confirmed(spool, [spooled(23)])
    await drain._drain_own()
    await drain.drain_orphans()
    assert set(kafka.taken) == set(kept)
    assert kept[-1] == spooled(23).key
    assert codes(alarms) == []
    await spool.close()


async def test_a_read_only_disk_takes_nothing_until_it_is_mended(alarms: Alarms) -> None:
    """It is told with the reason, and no process has to start again."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        spool = Spool(folder, MOST, alarms)
        with read_only(folder):
            await spool.open()
            assert "Read-only" in spool.problem or "Permission denied" in spool.problem
            assert await confirmed(spool, [spooled(1)]) == []
            assert not await spool.renew()
            assert codes(alarms) == ["spool-failed"]
        assert await spool.renew()
        assert await confirmed(spool, [spooled(2)]) == [spooled(2).key]
        assert codes(alarms) == []
        await spool.close()
