"""The files that one spool file consists of: SQLite's, and the lock beside them."""

import os
from contextlib import suppress
from pathlib import Path

from receiver.spool.errors import SpoolFailed

SUFFIX = ".spool"
_PARTS = ("", "-wal", "-shm", ".lock")


def identity(path: Path) -> tuple[tuple[int, int] | None, ...]:
    """Return which files of the disk have the names of the spool file's parts now."""
    found: list[tuple[int, int] | None] = []
    for part in _PARTS:
        try:
            status = os.stat(f"{path}{part}")  # noqa: PTH116
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino))
    return tuple(found)


def delete(path: Path) -> None:
    """Delete a file that holds nothing, as far as the disk allows, its lock last."""
    for ending in ("", "-journal", "-wal", "-shm", ".lock"):
        with suppress(OSError):
            Path(f"{path}{ending}").unlink()


def is_there(path: Path) -> bool:
    """Tell whether the file itself is there, as far as the disk says. Never raises."""
    return os.path.exists(path)  # noqa: PTH110 - pathlib's raises where the disk does not say


def has_log(path: Path) -> bool:
    """Tell whether anything is in the log, or may be."""
    return _has_bytes(f"{path}-wal")


def check_log(path: Path) -> None:
    """Have no log deleted: of an empty file SQLite does so, even where it is only to read.

    Raises:
        SpoolFailed: the file is empty, and its log, with what was answered 200, is not.
    """
    if has_log(path) and not _has_bytes(str(path)):
        raise SpoolFailed("the file is empty, and its log is not")


def _has_bytes(path: str) -> bool:
    try:
        return os.stat(path).st_size > 0  # noqa: PTH116
    except FileNotFoundError:
        return False
