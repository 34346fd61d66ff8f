"""What a dead process left: opened to be emptied, or to be read where the disk takes no writes."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from receiver.failures import without_path
from receiver.spool.database import check_for_damage, measure
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile, Stored
from receiver.spool.locking import InUse, lock
from receiver.spool.log import check_frames
from receiver.spool.parts import check_log, has_log, is_there


class ReadOnlyFile(SpoolFile):
    """A spool file whose disk is full, or can only be read, or whose log is damaged.

    ``why`` says which. It is not changed. If not ``is_whole`` there was more than can be read.
    """

    def __init__(self, path: Path, why: SpoolFailed) -> None:
        self.why = why
        self.is_whole = True
        super().__init__(path, 0)

    def remove(self, stored: Sequence[Stored]) -> None:
        """Refuse: what is in Kafka now stays here as well.

        Raises:
            SpoolFailed: always.
        """
        del stored
        raise self.why

    def close(self, *, delete_if_empty: bool = False) -> None:
        """Close and unlock."""
        del delete_if_empty
        super().close(delete_if_empty=False)

    def _locked(self) -> int:
        return lock(self.path, os.O_RDONLY)

    def _connected(self) -> sqlite3.Connection:
        # To read a log SQLite needs the file with its index, which it cannot make here. Without a
        # log it must be told that it needs none; told so where there is one, it would ignore it.
        database = _reader(self.path, "" if has_log(self.path) else "&immutable=1")
        try:
            check_for_damage(database)
            self.is_whole = _is_whole(self.path)
        except BaseException:
            database.close()
            raise
        return database


def _was_drained(path: Path) -> bool:
    try:
        return not is_there(path) and not has_log(path)
    except OSError:
        return False


def _is_whole(path: Path) -> bool:
    try:
        check_frames(path)
    except SpoolFailed:
        return False
    return True


def _reader(path: Path, option: str = "") -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro{option}"
    return sqlite3.connect(uri, uri=True, check_same_thread=False)


def measured(path: Path) -> tuple[int, int]:
    """Return how many observations a living process's file holds, and their bytes, as of now.

    That takes no lock of the process's, and keeps nothing from it: SQLite's log has readers beside
    its writer.

    Raises:
        SpoolFailed: the file cannot be read, or is gone.
    """
    try:
        check_log(path)
        with closing(_reader(path)) as database:
            return measure(database)
    except (sqlite3.Error, OSError, SpoolFailed) as error:
        raise SpoolFailed(f"{path}: {without_path(error)}") from error


def open_leftover(path: Path, max_bytes: int, *, to_empty: bool = False) -> SpoolFile:
    """Open a file whose process died; a :class:`ReadOnlyFile` where it can be read and no more.

    Raises:
        InUse: its process lives, or another one is at it, or has drained and deleted it.
        SpoolFailed: it cannot be read.
    """
    if _was_drained(path):
        # Another one has deleted it since it was seen: to open it would make it anew.
        raise InUse(str(path))
    try:
        file = SpoolFile(path, max_bytes)
    except SpoolFailed as error:
        return _readable(path, error)
    if to_empty:
        try:
            file.prove_writable()
        except SpoolFailed as error:
            file.close(delete_if_empty=False)
            return _readable(path, error)
    return file


def _readable(path: Path, why: SpoolFailed) -> SpoolFile:
    try:
        return ReadOnlyFile(path, why)
    except SpoolFailed:
        raise why from None
