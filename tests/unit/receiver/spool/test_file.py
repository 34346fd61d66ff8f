"""Spool files: what was appended is on the disk, whoever dies then."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from receiver.spool.errors import SpoolFailed, SpoolFull
from receiver.spool.file import Spooled, SpoolFile
from receiver.spool.locking import InUse

MOST = 1 << 20


def spooled(number: int, size: int = 10) -> Spooled:
    """Return an observation that can be told from others."""
    body = str(number).encode().ljust(size)
    return Spooled(f"key-{number}".encode(), [("payevents-account", b"shop")], body)


def test_what_was_appended_is_read_back_oldest_first(tmp_path: Path) -> None:
    """Observations come back as they went in, in their order, up to the limit asked for."""
    with SpoolFile(tmp_path / "a.spool", MOST) as file:
        file.append([spooled(1), spooled(2)])
        file.append([spooled(3)])
        assert [stored.spooled for stored in file.oldest(2)] == [spooled(1), spooled(2)]
        assert file.count == 3


def test_what_was_removed_is_gone_and_counted_so(tmp_path: Path) -> None:
    """After a removal the count, the bytes and a new opening agree."""
    path = tmp_path / "a.spool"
    with SpoolFile(path, MOST) as file:
        file.append([spooled(number) for number in range(10)])
        file.remove(file.oldest(7))
        counted = (file.count, file.bytes)
    with SpoolFile(path, MOST) as file:
        assert (file.count, file.bytes) == counted
        assert [stored.spooled for stored in file.oldest(9)] == [spooled(n) for n in (7, 8, 9)]


def test_a_killed_process_leaves_what_it_appended_and_no_lock(tmp_path: Path) -> None:
    """What was appended before a SIGKILL is found by the next process, which gets the lock."""
    path = tmp_path / "a.spool"
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from receiver.spool.file import SpoolFile\n"
        "from tests.unit.receiver.spool.test_file import spooled\n"
        "file = SpoolFile(Path(sys.argv[1]), 1 << 20)\n"
        "for number in range(50):\n"
        "    file.append([spooled(number)])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[4]
    killed = subprocess.run(
        [sys.executable, "-c", program, path], cwd=root, env={**os.environ}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    with SpoolFile(path, MOST) as file:
        assert [stored.spooled for stored in file.oldest(100)] == [spooled(n) for n in range(50)]


def test_a_file_whose_owner_lives_is_not_opened_again(tmp_path: Path) -> None:
    """A locked file is refused, and opened as soon as its owner has closed it."""
    path = tmp_path / "a.spool"
    owner = SpoolFile(path, MOST)
    owner.append([spooled(1)])
    with pytest.raises(InUse):
        SpoolFile(path, MOST)
    owner.close()
    with SpoolFile(path, MOST) as heir:
        assert heir.count == 1


def test_an_empty_file_is_deleted_when_it_is_closed(tmp_path: Path) -> None:
    """A process that spooled nothing leaves nothing behind."""
    SpoolFile(tmp_path / "a.spool", MOST).close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_file_takes_nothing_until_there_is_room(tmp_path: Path) -> None:
    """What does not fit is refused whole, and the file goes on once some of it was removed."""
    with SpoolFile(tmp_path / "a.spool", 1000) as file:
        file.append([spooled(1, 900)])
        with pytest.raises(SpoolFull):
            file.append([spooled(2, 20), spooled(3, 200)])
        assert file.count == 1
        file.remove(file.oldest(1))
        file.append([spooled(3, 200)])
        assert file.count == 1


def test_a_full_disk_is_a_failure_and_never_a_success(tmp_path: Path) -> None:
    """When the disk takes no more pages, the append that could not be written says so."""
    with SpoolFile(tmp_path / "a.spool", MOST) as file:
        file.append([spooled(0)])
        [(pages,)] = file._database.execute("PRAGMA page_count").fetchall()
        file._database.execute(f"PRAGMA max_page_count = {pages + 2}")
        many = [spooled(number, 1000) for number in range(1, 100)]
        with pytest.raises(SpoolFailed, match="full"):
            file.append(many)
        assert file.count == len(file.oldest(1000))


def test_a_damaged_file_is_refused_and_kept(tmp_path: Path) -> None:
    """A file that is no database, or a broken one, is an error that names it, and stays."""
    path = tmp_path / "a.spool"
    with SpoolFile(path, MOST) as file:
        file.append([spooled(number, 2000) for number in range(20)])
    raw = bytearray(path.read_bytes())
    raw[4096:12288] = os.urandom(8192)
    path.write_bytes(raw)
    with pytest.raises(SpoolFailed, match=r"a\.spool"):
        SpoolFile(path, MOST)
    assert path.read_bytes() == raw


def test_durability_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SQLite that does not run with WAL and full synchronisation is not written to."""
    monkeypatch.setattr("receiver.spool.database._FULL_SYNC", 3)
    with pytest.raises(SpoolFailed, match="synchronous"):
        SpoolFile(tmp_path / "a.spool", MOST)


def test_every_append_is_one_synchronised_transaction(tmp_path: Path) -> None:
    """Another connection sees what was appended as soon as the call has returned."""
    path = tmp_path / "a.spool"
    with SpoolFile(path, MOST) as file:
        file.append([spooled(1), spooled(2)])
        other = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        assert other.execute("SELECT count(*) FROM spooled").fetchone() == (2,)
        other.close()
