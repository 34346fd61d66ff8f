"""One spool file: SQLite in WAL mode, every commit on the disk before it returns."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from receiver.failures import without_path
from receiver.spool.database import measure, open_database
from receiver.spool.errors import SpoolFailed, SpoolFull
from receiver.spool.locking import lock
from receiver.spool.log import check_frames
from receiver.spool.parts import check_log, delete, identity

_SELECT_SOME = """
SELECT row, CAST(key AS BLOB), CAST(headers AS BLOB), CAST(body AS BLOB)
FROM spooled WHERE row > ? ORDER BY row LIMIT ?
"""
_SELECT_ALL = """
SELECT CAST(key AS BLOB), CAST(headers AS BLOB), CAST(body AS BLOB) FROM spooled ORDER BY row
"""
# They are read as bytes, whatever a bit that turned has made of their types.
_UNREADABLE = (sqlite3.Error, msgspec.MsgspecError, ValueError, TypeError)
"""What reading a damaged row may end with, as SQLite does not look into the values it keeps."""
_READ_BYTES = 4 * 2**20
"""Bytes after which reading stops, however many observations were asked for."""


class Spooled(msgspec.Struct, frozen=True):
    """One observation as it will stand in the inbox."""

    key: bytes
    headers: list[tuple[str, bytes]]
    body: bytes


class Stored(msgspec.Struct, frozen=True):
    """One observation in a spool file, under its place in the file."""

    row: int
    size: int
    spooled: Spooled


_HEADERS_TO_BYTES = msgspec.msgpack.Encoder()
_HEADERS_FROM_BYTES = msgspec.msgpack.Decoder(list[tuple[str, bytes]])


class SpoolFile:
    """A spool file, locked for as long as it is open. Every method blocks; use one thread.

    The lock is the operating system's, on a file beside it, so that it ends with its owner however
    that one ends: a file that can be locked has no living owner.

    One that ``is_new`` is made under a name that nobody has ever written to. Of an attempt that
    failed nothing stays, or others would find there what looks like a dead process's.
    """

    def __init__(self, path: Path, max_bytes: int, *, is_new: bool = False) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._lock = self._locked()
        try:
            check_log(path)
            self._database = self._connected()
            self.count, self.bytes = self._measure()
            self._identity = identity(path)
        except (sqlite3.Error, OSError, SpoolFailed) as error:
            if is_new:
                delete(path)
            os.close(self._lock)
            raise SpoolFailed(f"{path}: {without_path(error)}") from error

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def is_gone(self) -> bool:
        """Tell whether someone else deleted the file, or put another one in its place."""
        return identity(self.path) != self._identity

    def append(self, records: Sequence[Spooled]) -> None:
        """Write ``records``; when this returns, all are on the disk.

        Raises:
            SpoolFull: there is no room for all of them; none was written.
            SpoolFailed: they may or may not be there. The file must not be written to again.
        """
        rows = [(r.key, _HEADERS_TO_BYTES.encode(r.headers), r.body) for r in records]
        size = sum(_size(*row) for row in rows)
        if self.bytes + size > self._max_bytes:
            raise SpoolFull(f"{self.path} holds {self.bytes} of {self._max_bytes} bytes")
        try:
            with self._database:
                self._database.executemany(
                    "INSERT INTO spooled (key, headers, body) VALUES (?, ?, ?)", rows
                )
        except sqlite3.Error as error:
            raise SpoolFailed(f"{self.path}: {error}") from error
        self.count += len(rows)
        self.bytes += size
        if self.is_gone:
            # The bytes are in a file that has no name any more, and end with this process.
            raise SpoolFailed(f"{self.path} was deleted or replaced by someone else")

    def oldest(self, limit: int, after: int = 0) -> list[Stored]:
        """Return up to ``limit`` observations, the oldest after the row ``after`` first.

        They are fewer where they are large, and none only where there is none.

        Raises:
            SpoolFailed: the file cannot be read.
        """
        found: list[Stored] = []
        left = _READ_BYTES
        try:
            for row, key, headers, body in self._database.execute(_SELECT_SOME, (after, limit)):
                size = _size(key, headers, body)
                found.append(Stored(row, size, Spooled(key, _headers(headers), body)))
                left -= size
                if left < 0:
                    break
        except _UNREADABLE as error:
            # What comes before it is sent first: whoever asks for the rest hears of it.
            if not found:
                raise SpoolFailed(f"{self.path}: {error}") from error
        return found

    def __iter__(self) -> Iterator[Spooled]:
        """Yield all observations, the oldest first, with one at a time in memory.

        Raises:
            SpoolFailed: the file cannot be read.
        """
        try:
            for key, headers, body in self._database.execute(_SELECT_ALL):
                yield Spooled(key, _headers(headers), body)
        except _UNREADABLE as error:
            raise SpoolFailed(f"{self.path}: {error}") from error

    def remove(self, stored: Sequence[Stored]) -> None:
        """Remove observations that are in Kafka now, given in the order of the file.

        Raises:
            SpoolFailed: they may or may not be removed; to drain them again is harmless.
        """
        try:
            with self._database:
                # By ranges: one statement for all that stands together, not one for each row.
                self._database.executemany(
                    "DELETE FROM spooled WHERE row BETWEEN ? AND ?", _ranges(stored)
                )
        except sqlite3.Error as error:
            raise SpoolFailed(f"{self.path}: {error}") from error
        self.count -= len(stored)
        self.bytes -= sum(each.size for each in stored)

    def close(self, *, delete_if_empty: bool = True) -> None:
        """Close and unlock; an empty file is deleted first, so that folders do not fill up."""
        if self._lock < 0:
            return
        is_ours = not self.is_gone
        is_empty = self.count == 0 and self._is_empty()
        with suppress(sqlite3.Error):
            self._database.close()
        if delete_if_empty and is_empty and is_ours:
            delete(self.path)
        os.close(self._lock)
        self._lock = -1

    def prove_writable(self) -> None:
        """Write to the disk, and change nothing.

        Raises:
            SpoolFailed: the disk does not take it: what is sent from here could not be removed.
        """
        try:
            with self._database:
                self._database.execute("PRAGMA user_version = 0")
        except sqlite3.Error as error:
            raise SpoolFailed(f"{self.path}: {error}") from error

    def _locked(self) -> int:
        return lock(self.path)

    def _connected(self) -> sqlite3.Connection:
        # What SQLite does not read of the log ends with the first checkpoint, or when it is closed.
        check_frames(self.path)
        return open_database(self.path)

    def _is_empty(self) -> bool:
        """Ask the file itself: what is deleted by mistake was answered 200."""
        try:
            return self._measure() == (0, 0)
        except sqlite3.Error:
            return False

    def _measure(self) -> tuple[int, int]:
        return measure(self._database)


def _size(key: bytes, headers: bytes, body: bytes) -> int:
    return len(key) + len(headers) + len(body)


def _headers(raw: bytes) -> list[tuple[str, bytes]]:
    return _HEADERS_FROM_BYTES.decode(raw)


def _ranges(stored: Sequence[Stored]) -> list[tuple[int, int]]:
    """Return the first and the last row of each run of rows without a gap."""
    ranges: list[tuple[int, int]] = []
    for each in stored:
        if ranges and each.row == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], each.row)
        else:
            ranges.append((each.row, each.row))
    return ranges
