"""Opening what a dead process left: nothing of it is changed, made anew or deleted by that."""

import errno
from pathlib import Path

import pytest

from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile
from receiver.spool.leftover import ReadOnlyFile, open_leftover
from receiver.spool.listing import listed
from receiver.spool.locking import InUse
from tests.support.mounts import read_only
from tests.unit.receiver.spool.failing import FULL, failing_disk
from tests.unit.receiver.spool.test_file import MOST
from tests.unit.receiver.spool.test_leftovers import MANY, left_by_a_kill, left_closed


def test_a_read_only_file_is_not_changed(folder: Path) -> None:
    """Neither by reading it, nor by closing it."""
    path = left_closed(folder, count=1)
    before = {part: part.read_bytes() for part in folder.iterdir()}
    with read_only(folder):
        file = open_leftover(path, MOST, to_empty=True)
        assert isinstance(file, ReadOnlyFile)
        with pytest.raises(SpoolFailed, match=r"Read-only|Permission denied"):
            file.remove(file.oldest(1))
        file.close()
    assert {part: part.read_bytes() for part in folder.iterdir()} == before


def test_a_file_that_could_not_be_emptied_is_not_deleted(folder: Path) -> None:
    """Where the disk takes no writes, nothing is taken from it, be it empty."""
    path = left_closed(folder, count=1)
    with SpoolFile(path, MOST) as file:
        file.remove(file.oldest(1))
        file.close(delete_if_empty=False)
    with failing_disk(folder) as disk:
        disk.code = FULL
        file = open_leftover(path, MOST, to_empty=True)
        assert isinstance(file, ReadOnlyFile)
        file.close()
    assert path.exists()


def test_a_living_owner_is_seen_on_a_read_only_disk(folder: Path) -> None:
    """Its lock can be asked for where none could be made."""
    path = left_closed(folder, count=1)
    with SpoolFile(path, MOST), read_only(folder), pytest.raises(InUse):
        open_leftover(path, MOST)


def test_a_log_without_its_file_is_kept(folder: Path) -> None:
    """SQLite deletes the log of an empty file; it holds what was answered 200."""
    path = left_by_a_kill(folder, count=3)
    log = Path(f"{path}-wal")
    content = log.read_bytes()
    path.write_bytes(b"")
    with pytest.raises(SpoolFailed, match="its log is not"):
        open_leftover(path, MOST)
    assert log.read_bytes() == content


def test_a_read_only_disk_is_listed_with_what_waits_on_it(folder: Path) -> None:
    """An operator sees how much there is, and why it stays."""
    left_by_a_kill(folder)
    with read_only(folder):
        [file] = listed(folder)
    assert (file.state, file.observations) == ("left behind", MANY)
    assert file.why.startswith("it can only be read: ")


def test_what_was_drained_meanwhile_is_not_made_anew(folder: Path) -> None:
    """Whoever only looks leaves nothing where another process has deleted an empty file."""
    with pytest.raises(InUse):
        open_leftover(folder / "drained.spool", MOST)
    assert list(folder.iterdir()) == []


def test_a_log_that_the_disk_tells_nothing_of_is_a_failure_of_the_disk(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no surprise to whoever drains."""

    def broken(_: Path) -> bool:
        raise OSError(errno.EIO, "Input/output error")

    for module in ("leftover", "parts", "log"):
        monkeypatch.setattr(f"receiver.spool.{module}.has_log", broken)
    with pytest.raises(SpoolFailed, match="Input/output error"):
        open_leftover(folder / "dead.spool", MOST)
