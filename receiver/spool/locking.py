"""Whose a spool file is: the process that holds a lock on the file beside it."""

import fcntl
import os
from pathlib import Path

from receiver.failures import without_path
from receiver.spool.errors import SpoolFailed


class InUse(Exception):
    """Another process, alive, has locked the file."""


def lock(path: Path, how: int = os.O_RDWR | os.O_CREAT) -> int:
    """Lock the spool file at ``path``; return the descriptor that holds the lock until it closes.

    ``how`` the file is opened: ``os.O_RDONLY`` will do, where it is there already.

    Raises:
        InUse: another process holds it.
        SpoolFailed: it cannot be locked.
    """
    try:
        descriptor = os.open(f"{path}.lock", how | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SpoolFailed(f"{path}: {without_path(error)}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InUse(str(path)) from None
    except OSError as error:
        os.close(descriptor)
        raise SpoolFailed(f"{path}: {without_path(error)}") from error
    if not _is_still_there(descriptor, path):
        # Its owner deleted it between our opening and our locking.
        os.close(descriptor)
        raise InUse(str(path))
    return descriptor


def _is_still_there(descriptor: int, path: Path) -> bool:
    try:
        return os.fstat(descriptor).st_ino == os.stat(f"{path}.lock").st_ino  # noqa: PTH116
    except OSError:
        # It is gone, or the disk does not say: who cannot be sure of a lock has none.
        return False
