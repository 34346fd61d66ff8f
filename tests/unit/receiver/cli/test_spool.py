"""`payevents spool`: what waits on the disk, and what cannot be told."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from receiver.cli import spool
from receiver.cli.app import app
from receiver.spool.file import SpoolFile
from tests.support.configuration import service_config
from tests.unit.receiver.spool.test_file import MOST, spooled


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder for spools, which is not there yet."""
    return tmp_path / "spool"


@pytest.fixture
def config(tmp_path: Path, folder: Path) -> Path:
    """Return a configuration with that folder."""
    file = tmp_path / "payevents.toml"
    file.write_text(service_config("127.0.0.1:9", "", folder))
    return file


@pytest.fixture
def drained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many observations each drain is to find; none touches a file or Kafka."""
    counts = [0]

    async def drain(*_: object) -> int:
        return counts.pop()

    monkeypatch.setattr(spool, "_drain", drain)
    return counts


def run(config: Path, *arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["spool", *arguments, "--config", str(config)])


def damage(folder: Path) -> None:
    """Put a file there that is no database."""
    folder.mkdir(exist_ok=True)
    (folder / "bad.spool").write_bytes(b"no database" * 1000)


def test_an_empty_folder_is_named(config: Path, folder: Path) -> None:
    """Whether it is the right folder, only who reads its name can tell."""
    folder.mkdir()
    empty = run(config, "status")
    assert empty.stdout == f"nothing is spooled in {folder}\n"
    assert empty.exit_code == 0


@pytest.mark.parametrize("command", ["status", "drain"])
def test_a_folder_that_is_not_there_is_an_error(
    config: Path, folder: Path, drained: list[int], command: str
) -> None:
    """Webhooks may wait in another one: that is not nothing, and Kafka is not asked."""
    done = run(config, command)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {folder}: there is no such folder; ")
    assert drained


@pytest.mark.parametrize("command", ["status", "drain"])
def test_a_folder_that_cannot_be_looked_into_is_an_error(
    config: Path, folder: Path, drained: list[int], command: str
) -> None:
    """Nothing is known of what waits there: the command ends with 1, before Kafka is asked."""
    folder.touch()
    done = run(config, command)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {folder}: Not a directory; check spool.directory")
    assert drained


def test_a_drain_tells_what_it_left(config: Path, folder: Path, drained: list[int]) -> None:
    """A damaged file is an error that names it once; one in use is only noted."""
    drained[:] = [3]
    damage(folder)
    with SpoolFile(folder / "x.spool", MOST):
        done = run(config, "drain")
    assert done.exit_code == 1
    assert done.stdout == "3 observations drained\n"
    damaged, in_use = done.stderr.splitlines()
    assert damaged == "error: bad.spool: file is not a database; keep the file"
    assert in_use == "note: x.spool is in use; its process drains it"


def test_what_could_not_be_drained_is_an_error(
    config: Path, folder: Path, drained: list[int]
) -> None:
    """A file that opens, but whose observations are still there, is not passed over."""
    assert drained
    folder.mkdir()
    with SpoolFile(folder / "left.spool", MOST) as left:
        left.append([spooled(1)])
    done = run(config, "drain")
    assert done.exit_code == 1
    assert "left.spool: 1 observations could not be sent, or not be removed" in done.stderr


def test_a_drain_tells_programs(config: Path, folder: Path, drained: list[int]) -> None:
    """With --json, the same for programs; without damage it ends with 0."""
    drained[:] = [0, 2]
    folder.mkdir()
    with SpoolFile(folder / "x.spool", MOST):
        done = run(config, "drain", "--json")
        assert json.loads(done.stdout) == {"drained": 2, "damaged": {}, "in_use": ["x.spool"]}
        assert done.exit_code == 0
        damage(folder)
        done = run(config, "drain", "--json")
    assert json.loads(done.stdout)["damaged"] == {"bad.spool": "file is not a database"}
    assert done.exit_code == 1
