"""The spool of this process: one writer thread, group commit, and a file made when needed."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import structlog

from receiver.observability.alarms import Alarms
from receiver.spool.errors import SpoolFailed, SpoolFull
from receiver.spool.file import SUFFIX, InUse, Spooled, SpoolFile, Stored
from receiver.spool.filesystem import network_file_system

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_T = TypeVar("_T")
_BATCH = 200
_WAITING = 20_000
_REMEDY = "see 'payevents spool status'; free the disk or mend it, then restart this process"


class Spool:
    """Keeps observations on disk. One writer thread commits what came in meanwhile together."""

    def __init__(self, folder: Path, max_bytes: int, alarms: Alarms) -> None:
        self.folder = folder
        self.problem = ""
        self.full = ""
        self._max_bytes = max_bytes
        self._alarms = alarms
        self._file: SpoolFile | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._waiting: list[tuple[Spooled, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._damaged: set[Path] = set()

    @property
    def available(self) -> bool:
        """Tell whether observations can be written, as far as is known.

        If not, ``problem`` says what is wrong with the disk, or ``full`` that there is no room.
        """
        return not (self.problem or self.full)

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
            self._fail(error)

    async def append(self, record: Spooled) -> None:
        """Return once ``record`` is on the disk.

        Raises:
            SpoolFull: there is no room, on disk or in the queue before it.
            SpoolFailed: it may not be on the disk.
        """
        if self._file is None or self.problem:
            raise SpoolFailed(self.problem or "the spool is not open")
        if len(self._waiting) >= _WAITING:
            raise SpoolFull("too many observations wait for the disk")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((record, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="spool-writer")
        await written

    async def oldest(self, limit: int) -> list[Stored]:
        """Return the oldest observations.

        Raises:
            SpoolFailed: the file cannot be read.
        """
        file = self._file
        if file is None:
            return []
        return await self.in_thread(lambda: file.oldest(limit))

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

    async def orphan(self) -> SpoolFile | None:
        """Return a file that its process left behind, opened and locked; None if there is none.

        One that cannot be read is told once, and left for a person to look at.
        """
        file, unusable = await self.in_thread(self._open_orphan)
        for path, error in unusable.items():
            self.set_aside(path, error)
        return file

    def _open_orphan(self) -> tuple[SpoolFile | None, dict[Path, SpoolFailed]]:
        own = None if self._file is None else self._file.path
        unusable: dict[Path, SpoolFailed] = {}
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            if path == own or path in self._damaged:
                continue
            try:
                return SpoolFile(path, self._max_bytes), unusable
            except InUse:
                continue
            except SpoolFailed as error:
                unusable[path] = error
        return None, unusable

    def set_aside(self, path: Path, error: SpoolFailed) -> None:
        """Leave a file that cannot be used to a person, so that the others are drained."""
        self._damaged.add(path)
        self._alarms.sound(
            "",
            "spool-damaged",
            why=str(error),
            remedy="keep the file; 'payevents spool status' shows it",
        )

    async def close(self) -> None:
        """Write what waits, close the file."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if self._file is not None:
            await self.in_thread(self._file.close)
        self._thread.shutdown(wait=False)

    def _open(self) -> SpoolFile:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SpoolFailed(f"{self.folder}: {error}") from error
        kind = network_file_system(self.folder)
        if kind is not None:
            raise SpoolFailed(f"{self.folder} is on {kind}: a spool needs a disk of this machine")
        return SpoolFile(self.folder / f"{uuid4().hex}{SUFFIX}", self._max_bytes)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            error = await self._commit([record for record, _ in batch])
            for _, written in batch:
                # Whoever waited may have gone; the observation is written all the same.
                if written.done():
                    continue
                if error is None:
                    written.set_result(None)
                else:
                    written.set_exception(error)

    async def _commit(self, records: list[Spooled]) -> SpoolFull | SpoolFailed | None:
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
            self._fail(error)
            return error
        self.full = ""
        return None

    def _fail(self, error: SpoolFailed) -> None:
        self.problem = str(error)
        self._alarms.sound("", "spool-failed", why=self.problem, remedy=_REMEDY)

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Do ``work`` in the one thread that touches spool files."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
