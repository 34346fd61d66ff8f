"""What an operator sees of the spool files of a machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile
from receiver.spool.listing import listed, spool_files
from tests.unit.receiver.spool.test_file import MOST, spooled


def test_each_file_is_listed_with_its_state(tmp_path: Path) -> None:
    """Files in use, left behind and damaged are told apart; looking changes nothing."""
    left = SpoolFile(tmp_path / "a.spool", MOST)
    left.append([spooled(1), spooled(2)])
    left.close()
    (tmp_path / "b.spool").write_bytes(b"no database" * 1000)
    with SpoolFile(tmp_path / "c.spool", MOST) as own:
        own.append([spooled(number) for number in range(3)])
        for _ in range(2):
            states = [(file.file, file.state, file.observations) for file in listed(tmp_path)]
            assert states == [
                ("a.spool", "left behind", 2),
                ("b.spool", "damaged", None),
                ("c.spool", "in use", 3),
            ]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """Where nothing was ever spooled, nothing is listed."""
    assert list(listed(tmp_path / "missing")) == []


def test_a_file_in_the_folders_place_is_an_error(tmp_path: Path) -> None:
    """Nobody knows what waits where nobody can look: that is not nothing."""
    file = tmp_path / "spool"
    file.touch()
    with pytest.raises(SpoolFailed) as failure:
        spool_files(file)
    told = "check spool.directory, and run this as the service's user"
    assert str(failure.value) == f"{file}: Not a directory; {told}"


def test_a_folder_that_may_not_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's folder is told as such."""

    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(SpoolFailed, match=r"Permission denied; check spool\.directory"):
        spool_files(tmp_path)


def test_a_file_that_may_not_be_opened_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with it stands alone: the file is named beside it."""
    (tmp_path / "a.spool").touch()

    def refused(path: str, *_: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", refused)
    [file] = listed(tmp_path)
    assert (file.state, file.why) == ("damaged", "Permission denied")


def test_counting_a_living_processs_file_keeps_nothing_from_it(tmp_path: Path) -> None:
    """It is written to and emptied while it is counted, from another process as well."""
    path = tmp_path / "a.spool"
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from receiver.spool.listing import listed\n"
        "for _ in sys.stdin:\n"
        "    [file] = listed(Path(sys.argv[1]))\n"
        "    print(file.state, file.observations, file.bytes, flush=True)\n"
    )
    with (
        SpoolFile(path, MOST) as own,
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path],
            cwd=Path(__file__).parents[4],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other,
    ):
        assert other.stdin is not None
        assert other.stdout is not None
        for number in range(20):
            own.append([spooled(number), spooled(number)])
            own.remove(own.oldest(1))
            other.stdin.write("count\n")
            other.stdin.flush()
            assert other.stdout.readline() == f"in use {own.count} {own.bytes}\n"
        other.stdin.close()
        assert not own.is_gone
        assert len(own.oldest(100)) == own.count == 20


def test_a_living_processs_file_that_cannot_be_counted_says_why(tmp_path: Path) -> None:
    """It is in use all the same."""
    with SpoolFile(tmp_path / "a.spool", MOST) as own:
        own.append([spooled(1)])
        content = own.path.read_bytes()
        own.path.write_bytes(b"")
        [file] = listed(tmp_path)
        own.path.write_bytes(content)
    assert (file.state, file.observations) == ("in use", None)
    assert "it cannot be counted here: the file is empty, and its log is not" in file.why
