"""SQLite as a spool needs it: what is committed is on the disk, and damage is noticed."""

import os
import sqlite3
from pathlib import Path

from receiver.spool.errors import SpoolFailed

_FULL_SYNC = 2


def open_database(path: Path) -> sqlite3.Connection:
    """Return the database at ``path``, made if there is none, with its name on the disk too.

    Raises:
        SpoolFailed: it is damaged, or not written as it must be.
        sqlite3.Error: the disk or the file does not let it be opened.
        OSError: the folder cannot be synced.
    """
    # The writer thread is another one than that which opened the file at start.
    database = sqlite3.connect(path, isolation_level="IMMEDIATE", check_same_thread=False)
    path.chmod(0o600)
    try:
        _check_durability(database)
        database.execute(
            "CREATE TABLE IF NOT EXISTS spooled (row INTEGER PRIMARY KEY AUTOINCREMENT,"
            " key BLOB NOT NULL, headers BLOB NOT NULL, body BLOB NOT NULL)"
        )
        database.commit()
        _sync_folder(path.parent)
    except BaseException:
        database.close()
        raise
    return database


def _check_durability(database: sqlite3.Connection) -> None:
    """Set WAL and full synchronisation, read both back, and look for damage."""
    [(journal,)] = database.execute("PRAGMA journal_mode = WAL").fetchall()
    database.execute("PRAGMA synchronous = FULL")
    [(synchronous,)] = database.execute("PRAGMA synchronous").fetchall()
    if (journal, synchronous) != ("wal", _FULL_SYNC):
        raise SpoolFailed(f"SQLite runs with {journal}, synchronous {synchronous}")
    check_for_damage(database)


def check_for_damage(database: sqlite3.Connection) -> None:
    """Have SQLite look at the structure of the whole file.

    Raises:
        SpoolFailed: it is damaged.
        sqlite3.Error: it cannot be read.
    """
    [(check,)] = database.execute("PRAGMA quick_check(1)").fetchall()
    if check != "ok":
        raise SpoolFailed(f"the file is damaged: {check}")


def _sync_folder(folder: Path) -> None:
    # SQLite syncs the file; that the file is in its folder must be on the disk too.
    for place in (folder, folder.parent):
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def measure(database: sqlite3.Connection) -> tuple[int, int]:
    """Return how many observations there are, and their size in bytes."""
    [(count, size)] = database.execute(
        "SELECT count(*), coalesce(sum(length(key) + length(headers) + length(body)), 0)"
        " FROM spooled"
    ).fetchall()
    return int(count), int(size)
