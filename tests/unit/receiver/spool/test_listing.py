"""What an operator sees of the spool files of a machine."""

from pathlib import Path

from receiver.spool.file import SpoolFile
from receiver.spool.listing import listed
from tests.unit.receiver.spool.test_file import MOST, spooled


def test_each_file_is_listed_with_its_state(tmp_path: Path) -> None:
    """Files in use, left behind and damaged are told apart; looking changes nothing."""
    left = SpoolFile(tmp_path / "a.spool", MOST)
    left.append([spooled(1), spooled(2)])
    left.close()
    (tmp_path / "b.spool").write_bytes(b"no database" * 1000)
    with SpoolFile(tmp_path / "c.spool", MOST):
        for _ in range(2):
            states = [(file.file, file.state, file.observations) for file in listed(tmp_path)]
            assert states == [
                ("a.spool", "left behind", 2),
                ("b.spool", "damaged", None),
                ("c.spool", "in use", None),
            ]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """Where nothing was ever spooled, nothing is listed."""
    assert list(listed(tmp_path / "missing")) == []
