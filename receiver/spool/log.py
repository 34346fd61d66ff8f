"""Whether SQLite's log still has all that was committed to it.

SQLite reads its log up to the first frame whose checksum is wrong, and takes the rest for what a
crash left unfinished. So it is after a crash; where a bit turned, the rest was answered 200.

The format is SQLite's: a header, then frames, each with a page and a checksum that goes on from
that of the frame before. Once all that is in the log is in the database too, it is written from its
start again with other salts; what is behind the new frames then has the old ones.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from receiver.spool.errors import SpoolFailed
from receiver.spool.parts import has_log

_HEADER = struct.Struct(">IIII8s2I")
_FRAME = struct.Struct(">4xI8s2I")
_MAGIC = 0x377F0682
"""With the lowest bit set, checksums are of big-endian words."""

_SUMMED_OF_HEADER, _SUMMED_OF_FRAME = 24, 8

_Sums: TypeAlias = tuple[int, int]


def check_frames(path: Path) -> None:
    """See that no commit of the log of ``path`` was lost that another one was written after.

    That is certain where, behind the first bad frame, one continues the checksum of a commit: the
    next commit is begun only when the one before is on the disk. It is never so after a crash,
    which loses parts of the last commit at most, nor where a shorter one was written over such.

    Raises:
        SpoolFailed: SQLite would not read all that was confirmed, and not say so.
        OSError: the log cannot be read.
    """
    if not has_log(path):
        return
    with Path(f"{path}-wal").open("rb") as log:
        header = log.read(_HEADER.size)
        if not log.peek(1):
            # A crash may have cut the header off: it is synced before the first frame is written.
            return
        magic, _, page_size, _, salts, *sums = _HEADER.unpack(header)
        words = struct.Struct(">II" if magic & 1 else "<II")
        start = (sums[0], sums[1])
        if magic & ~1 != _MAGIC or _sums(words, header[:_SUMMED_OF_HEADER], (0, 0)) != start:
            raise SpoolFailed("its log is damaged: the header is not valid")
        _check(log, words, page_size, salts, start)


def _check(log: BinaryIO, words: struct.Struct, page_size: int, salts: bytes, start: _Sums) -> None:
    # What the next frame may continue: the sums that stand in the frame before, and, where it is
    # these that are wrong, those that it should have.
    before = {start}
    is_read, was_commit = True, False
    for number, frame in enumerate(_frames(log, page_size), 1):
        pages, own_salts, *sums = _FRAME.unpack_from(frame)
        told = (sums[0], sums[1])
        found: set[_Sums] = set()
        if own_salts == salts:
            summed = frame[:_SUMMED_OF_FRAME] + frame[_FRAME.size :]
            found = {_sums(words, summed, each) for each in before}
        continues = told in found
        if continues and was_commit and not is_read:
            raise SpoolFailed(f"its log is damaged before frame {number}, and what follows is lost")
        is_read = is_read and continues
        before = {told} if continues else {told, *found}
        was_commit = pages != 0


def _frames(log: BinaryIO, page_size: int) -> Iterator[bytes]:
    size = _FRAME.size + page_size
    while len(frame := log.read(size)) == size:
        yield frame


def _sums(words: struct.Struct, data: bytes, start: _Sums) -> _Sums:
    first, second = start
    for one, other in words.iter_unpack(data):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + other + first) & 0xFFFFFFFF
    return first, second
