"""What a dead process left: opened to be emptied, or to be read where the disk takes no writes."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile, Stored, check_for_damage
from receiver.spool.locking import lock
from receiver.spool.parts import has_log


class ReadOnlyFile(SpoolFile):
    """A spool file whose disk is full, or can only be read; ``why`` says so. It is not changed."""

    def __init__(self, path: Path, why: SpoolFailed) -> None:
        self.why = why
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
        immutable = "" if has_log(self.path) else "&immutable=1"
        uri = f"{self.path.absolute().as_uri()}?mode=ro{immutable}"
        database = sqlite3.connect(uri, uri=True, check_same_thread=False)
        try:
            check_for_damage(database)
        except BaseException:
            database.close()
            raise
        return database


def open_leftover(path: Path, max_bytes: int, *, to_empty: bool = False) -> SpoolFile:
    """Open a file whose process died; a :class:`ReadOnlyFile` where it can be read and no more.

    Raises:
        InUse: its process lives, or another one is at it.
        SpoolFailed: it cannot be read.
    """
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
