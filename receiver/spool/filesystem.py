"""Is a folder on a disk of this machine? SQLite's WAL over a network file system loses data."""

from pathlib import Path

_NETWORK = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "gfs2", "glusterfs"),
        *("gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "prl_fs"),
        *("pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs", "wekafs"),
    }
)
# A file system in user space may be anything. These are known to be disks of this machine; the
# container one keeps what is above its images in a folder of the host.
_LOCAL_FUSE = frozenset(
    {"fuse.exfat", "fuse.ext2", "fuse.fuse-overlayfs", "fuse.ntfs", "fuse.ntfs-3g", "fuse.zfs"}
)
_MEMORY = frozenset({"ramfs", "tmpfs"})
_MOUNTS = Path("/proc/self/mounts")


def file_system(folder: Path, mounts: str | None = None) -> str:
    """Return the type of the file system that holds ``folder``, empty if it is not known.

    ``mounts`` is the text of Linux's ``/proc/self/mounts``, read if it is not given; where there is
    no such file, nothing is known.
    """
    if mounts is None:
        if not _MOUNTS.exists():
            return ""
        mounts = _MOUNTS.read_text(errors="replace")
    resolved = folder.resolve()
    found, deepest = "", -1
    for line in mounts.splitlines():
        _device, point, kind, *_ = line.split(" ")
        place = Path(point.replace("\\040", " "))
        if resolved.is_relative_to(place) and len(place.parts) >= deepest:
            # A later mount at the same place covers the earlier one.
            found, deepest = kind, len(place.parts)
    return found


def is_network(kind: str) -> bool:
    """Tell whether a file system is refused: it is another machine's, or nobody knows whose."""
    is_fuse = kind == "fuse" or kind.startswith("fuse.")
    return kind in _NETWORK or (is_fuse and kind not in _LOCAL_FUSE)


def is_memory(kind: str) -> bool:
    """Tell whether a file system is lost with the machine's power."""
    return kind in _MEMORY
