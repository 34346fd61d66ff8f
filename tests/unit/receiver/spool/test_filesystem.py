"""Where a spool may be: on a disk of this machine, and with a warning in its memory."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from receiver.observability.alarms import Alarms
from receiver.spool.errors import SpoolFailed
from receiver.spool.filesystem import file_system, is_memory, is_network
from receiver.spool.spool import Spool
from tests.unit.receiver.spool.test_file import MOST, spooled

Mount = Callable[[Path, str], None]


@pytest.fixture
def mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mount:
    """Return what has a folder told to be on a file system of some kind."""

    def mounted(folder: Path, kind: str) -> None:
        mounts = tmp_path / "mounts"
        mounts.write_text(f"/dev/vda / ext4 rw 0 0\nwhere {folder} {kind} rw 0 0\n")
        monkeypatch.setattr("receiver.spool.filesystem._MOUNTS", mounts)

    return mounted


@pytest.mark.parametrize(
    ("mounts", "kind"),
    [
        ("rootfs / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0\n", "nfs4"),
        ("rootfs / ext4 rw 0 0\n/dev/sdb /data xfs rw 0 0\n", "xfs"),
        ("server:/ / nfs rw 0 0\n/dev/sdb /data ext4 rw 0 0\n", "ext4"),
        ("rootfs / ext4 rw 0 0\nx /data ext4 rw 0 0\n//s/y /data cifs rw 0 0\n", "cifs"),
        ("", ""),
    ],
)
def test_the_deepest_and_latest_mount_decides(mounts: str, kind: str) -> None:
    """A folder is on the file system that was mounted nearest to it, and last."""
    assert file_system(Path("/data/spool"), mounts) == kind


@pytest.mark.parametrize(
    "kind",
    [
        *("9p", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4", "orangefs", "smb3"),
        *("vboxsf", "virtiofs", "wekafs", "fuse", "fuse.sshfs", "fuse.rclone", "fuse.juicefs"),
        *("fuse.gcsfuse", "fuse.blobfuse2", "fuse.mount-s3", "fuse.ceph-fuse", "fuse.mfs"),
        *("fuse.what-comes-next",),
    ],
)
def test_what_is_not_of_this_machine_is_refused(kind: str) -> None:
    """So is a file system in user space that nobody knows."""
    assert is_network(kind)
    assert not is_memory(kind)


@pytest.mark.parametrize(
    "kind",
    ["ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "fuseblk", "fuse.fuse-overlayfs", ""],
)
def test_what_is_of_this_machine_is_taken(kind: str) -> None:
    """A disk, what lies over one, memory, and what is not known."""
    assert not is_network(kind)


@pytest.mark.parametrize("kind", ["nfs4", "fuse.sshfs"])
async def test_a_spool_over_the_network_is_refused(tmp_path: Path, mount: Mount, kind: str) -> None:
    """An alarm names the file system; nothing is written there, and nothing confirmed."""
    folder = tmp_path / "spool"
    mount(folder, kind)
    alarms = Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    spool = Spool(folder, MOST, alarms)
    await spool.open()
    with pytest.raises(SpoolFailed, match=f"is on {kind}: a spool needs a disk of this machine"):
        await spool.append(spooled(1))
    assert [alarm.code for alarm in alarms.present] == ["spool-failed"]
    assert list(folder.iterdir()) == []
    assert not await spool.renew()
    await spool.close()


@pytest.mark.parametrize(("kind", "warnings"), [("tmpfs", 1), ("ramfs", 1), ("ext4", 0)])
async def test_a_spool_in_memory_is_taken_with_a_warning(
    tmp_path: Path, mount: Mount, kind: str, warnings: int
) -> None:
    """It outlives the process, and not the machine."""
    mount(tmp_path, kind)
    spool = Spool(tmp_path, MOST, Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC)))
    with capture_logs() as logs:
        await spool.open()
    assert spool.available
    assert len([line for line in logs if "in memory" in line["event"]]) == warnings
    await spool.close()
