"""Is a folder on a disk of this machine? SQLite's WAL over a network file system loses data."""

from pathlib import Path

_NETWORK = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.glusterfs", "fuse.s3fs"),
        *("fuse.sshfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3"),
        *("smbfs", "virtiofs"),
    }
)
_MOUNTS = Path("/proc/self/mounts")


def network_file_system(folder: Path, mounts: str | None = None) -> str | None:
    """Return the type of the network file system that holds ``folder``, None if it is local.

    ``mounts`` is the text of Linux's ``/proc/self/mounts``, read if it is not given; where there is
    no such file, nothing is known and nothing refused.
    """
    if mounts is None:
        if not _MOUNTS.exists():
            return None
        mounts = _MOUNTS.read_text(errors="replace")
    resolved = folder.resolve()
    found, deepest = "", -1
    for line in mounts.splitlines():
        _device, point, kind, *_ = line.split(" ")
        place = Path(point.replace("\\040", " "))
        if resolved.is_relative_to(place) and len(place.parts) >= deepest:
            # A later mount at the same place covers the earlier one.
            found, deepest = kind, len(place.parts)
    return found if found in _NETWORK else None
