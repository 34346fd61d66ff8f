"""The doctor about the spool's folder: usable, of this machine, durable, with room."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pydantic
import pytest

from config.machine import SpoolSettings
from receiver.observability import spool_findings
from receiver.observability.findings import Finding, Verdict
from receiver.observability.spool_findings import examine_spool
from tests.support.mounts import read_only


class Usage(NamedTuple):
    """How much of a disk is free."""

    free: int


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every folder on a local disk with two gibibytes free."""
    on(monkeypatch, "ext4")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2 << 30))


def on(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Have every folder on such a file system."""
    monkeypatch.setattr(spool_findings, "file_system", lambda _: kind)


def examined(folder: Path, max_bytes: int = 1 << 30) -> Finding:
    """Return the one finding."""
    settings = SpoolSettings(directory=folder, max_bytes=pydantic.ByteSize(max_bytes))
    [finding] = examine_spool(settings)
    return finding


def test_a_folder_that_can_be_used_is_well(tmp_path: Path) -> None:
    """It is named with its file system and its room; nothing is left in it."""
    finding = examined(tmp_path)
    assert finding == Finding("spool", Verdict.OK, f"{tmp_path} on ext4, 2048 MiB free")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_be_made_is_well(tmp_path: Path) -> None:
    """It is not made: it would be the doctor's, and not the service's."""
    assert examined(tmp_path / "a" / "b").verdict is Verdict.OK
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["/proc/payevents", "/proc/payevents/deep"])
def test_a_folder_that_cannot_be_made_is_wrong(folder: str) -> None:
    """Webhooks would have nowhere to go while Kafka is away."""
    finding = examined(Path(folder))
    assert finding.verdict is Verdict.WRONG
    assert finding.told.startswith(f"{folder} cannot be used: ")
    assert "spool.directory" in finding.remedy


def test_a_file_in_its_place_is_wrong(tmp_path: Path) -> None:
    """No folder can be there."""
    (tmp_path / "spool").touch()
    for folder in (tmp_path / "spool", tmp_path / "spool" / "deep"):
        assert examined(folder).told == f"{folder} cannot be used: Not a directory"


def test_a_read_only_folder_is_wrong(tmp_path: Path) -> None:
    """To see it is not enough."""
    tmp_path.chmod(0o755)
    with read_only(tmp_path):
        assert examined(tmp_path).verdict is Verdict.WRONG


def test_a_network_file_system_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service would refuse it."""
    on(monkeypatch, "nfs4")
    finding = examined(tmp_path)
    assert finding.verdict is Verdict.WRONG
    assert "nfs4" in finding.told
    assert "spool.directory" in finding.remedy


def test_memory_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service takes it, and a reboot loses it."""
    on(monkeypatch, "tmpfs")
    finding = examined(tmp_path)
    assert finding.verdict is Verdict.WARNING
    assert "lost when the machine restarts" in finding.told
    assert "spool.directory" in finding.remedy


def test_too_little_room_is_a_warning(tmp_path: Path) -> None:
    """The disk would be full before the spool is."""
    finding = examined(tmp_path, 3 << 30)
    assert finding.verdict is Verdict.WARNING
    assert finding.told == "2048 MiB are free, and spool.max_bytes is 3072 MiB"
    assert "spool.max_bytes" in finding.remedy
