"""The spool of this process: one thread, and one file at a time, made anew when it fails."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import structlog

from receiver.observability.alarms import Alarms
from receiver.spool.commits import GroupCommit
from receiver.spool.errors import SpoolFailed, SpoolFull
from receiver.spool.file import Spooled, SpoolFile, Stored
from receiver.spool.filesystem import file_system, is_memory, is_network
from receiver.spool.locking import InUse
from receiver.spool.orphans import Orphans
from receiver.spool.parts import SUFFIX, is_there

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_T = TypeVar("_T")
_COPIED = 200
_SLOWEST = 3.0
_REMEDY = "see 'payevents spool status'; free the disk or mend it: a new file is tried by itself"


class Spool:
    """Keeps observations on disk, in group commits that take ``slowest`` seconds at most."""

    def __init__(
        self, folder: Path, max_bytes: int, alarms: Alarms, *, slowest: float = _SLOWEST
    ) -> None:
        self.folder = folder
        self.problem = ""
        self.full = ""
        self.max_bytes = max_bytes
        self._alarms = alarms
        self._file: SpoolFile | None = None
        self._next_path = self._new_path()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._commits = GroupCommit(self._commit, alarms, slowest)
        self.orphans = Orphans(folder, max_bytes, alarms, self._is_own)

    @property
    def available(self) -> bool:
        """Tell whether observations can be written, as far as is known.

        If not, ``problem`` says what is wrong with the disk, ``full`` that there is no room, or
        ``slow`` that the disk hangs.
        """
        return not (self.problem or self.full or self.slow)

    @property
    def slow(self) -> str:
        """Return that the disk hangs; empty if it does not."""
        return self._commits.slow

    @property
    def count(self) -> int:
        """Return how many observations wait on disk."""
        return 0 if self._file is None else self._file.count

    @property
    def bytes(self) -> int:
        """Return how many bytes of observations wait on disk."""
        return 0 if self._file is None else self._file.bytes

    async def open(self) -> None:
        """Make this process's file; what is wrong with it is in ``problem`` and an alarm."""
        try:
            self._file = await self.in_thread(self._open)
        except SpoolFailed as error:
            self.fail(error)

    async def renew(self) -> bool:
        """Go on with a new file where the one so far cannot be trusted; tell whether that is so.

        What the old one holds is left behind, to be drained like that of a dead process.
        """
        if not self.problem:
            return False
        try:
            fresh = await self.in_thread(self._renewed)
        except (SpoolFailed, SpoolFull) as error:
            self.fail(error)
            return False
        old, self._file, self.problem, self.full = self._file, fresh, "", ""
        if old is not None:
            await self.in_thread(old.close)
        for code in ("spool-failed", "spool-full"):
            self._alarms.over("", code)
        log.info("the spool goes on with a new file", path=str(fresh.path))
        return True

    async def append(self, record: Spooled) -> None:
        """Return once ``record`` is on the disk.

        Raises:
            SpoolFull: there is no room on the disk.
            SpoolSlow: the disk hangs. The record may be written yet, which is harmless.
            SpoolFailed: it may not be on the disk.
        """
        if self._file is None or self.problem:
            raise SpoolFailed(self.problem or "the spool is not open")
        await self._commits.append(record)

    async def oldest(self, limit: int, after: int = 0) -> list[Stored]:
        """Return the oldest observations after the row ``after``.

        Raises:
            SpoolFailed: the file cannot be read.
        """
        file = self._file
        if file is None:
            return []
        return await self.in_thread(lambda: file.oldest(limit, after))

    async def remove(self, stored: Sequence[Stored]) -> None:
        """Remove what is in Kafka now.

        Raises:
            SpoolFailed: it may be drained again, which is harmless.
        """
        file = self._file
        if file is not None:
            await self.in_thread(lambda: file.remove(stored))
            self.full = ""
            self._alarms.over("", "spool-full")

    def tell_refused(self, why: str) -> None:
        """Tell whether something stays here because Kafka refuses it; empty if nothing does."""
        if why:
            remedy = "raise max.message.bytes of the inbox's topic: it is tried again by itself"
            self._alarms.sound("", "inbox-refuses", why=why, remedy=remedy)
        else:
            self._alarms.over("", "inbox-refuses")

    async def close(self) -> None:
        """Write what waits, close the file."""
        await self._commits.end()
        if self._file is not None:
            await self.in_thread(self._file.close)
        self._thread.shutdown(wait=False)
        self.orphans.close()

    def _is_own(self, path: Path) -> bool:
        # The next one can be there by a failed attempt only; it is nobody else's all the same.
        return path == self._next_path or (self._file is not None and path == self._file.path)

    def _open(self) -> SpoolFile:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SpoolFailed(f"{self.folder}: {error}") from error
        try:
            kind = file_system(self.folder)
        except OSError as error:
            raise SpoolFailed(f"the file system of {self.folder} is not known: {error}") from error
        if is_network(kind):
            raise SpoolFailed(f"{self.folder} is on {kind}: a spool needs a disk of this machine")
        # The same path until it could be opened: a broken disk must not be littered with attempts.
        path = self._next_path
        try:
            opened = SpoolFile(path, self.max_bytes, is_new=True)
        except InUse as error:
            # A neighbour looks at what an attempt left there, and may delete it.
            self._next_path = self._new_path()
            raise SpoolFailed(f"{path} is looked at: another name is tried next") from error
        except SpoolFailed:
            if not is_there(path):
                # Of the attempt nothing stayed; what others may have put beside it does no harm.
                self._next_path = self._new_path()
            raise
        self._next_path = self._new_path()
        if is_memory(kind):
            log.warning("the spool is in memory: a reboot loses it", path=str(path), on=kind)
        return opened

    def _renewed(self) -> SpoolFile:
        fresh, old = self._open(), self._file
        if old is not None and old.is_gone:
            # Without a name it could not be found again: what it holds would end with this process.
            try:
                _copy(old, fresh)
            except (SpoolFailed, SpoolFull):
                fresh.close()
                raise
        return fresh

    def _new_path(self) -> Path:
        return self.folder / f"{uuid4().hex}{SUFFIX}"

    async def _commit(self, records: Sequence[Spooled]) -> SpoolFull | SpoolFailed | None:
        file = self._file
        if file is None or self.problem:
            return SpoolFailed(self.problem)
        try:
            await self.in_thread(lambda: file.append(records))
        except SpoolFull as error:
            self.full = str(error)
            remedy = "bring Kafka back, or raise spool.max_bytes"
            self._alarms.sound("", "spool-full", why=str(error), remedy=remedy)
            return error
        except SpoolFailed as error:
            self.fail(error)
            return error
        self.full = ""
        return None

    def fail(self, error: SpoolFailed | SpoolFull) -> None:
        """Take no more into this file: it may say later that all is well, and lie."""
        self.problem = str(error)
        self._alarms.sound("", "spool-failed", why=self.problem, remedy=_REMEDY)

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Do ``work`` in the one thread that touches this process's own file."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _copy(old: SpoolFile, fresh: SpoolFile) -> None:
    after = 0
    while batch := old.oldest(_COPIED, after):
        fresh.append([stored.spooled for stored in batch])
        after = batch[-1].row
