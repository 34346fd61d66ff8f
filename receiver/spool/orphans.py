"""What dead processes left in the folder: found, opened, and set aside where that does not help."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from receiver.observability.alarms import Alarms
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile
from receiver.spool.leftover import open_leftover
from receiver.spool.listing import spool_files
from receiver.spool.locking import InUse
from receiver.words import counted

_T = TypeVar("_T")
_REMEDY = "keep the file; 'payevents spool status' shows it; it is tried again every few minutes"


class Orphans:
    """The files that no process has; ``is_own`` tells those of this one.

    One that cannot be read, or not be emptied, is set aside with an alarm, so that the others are
    drained. It is tried again when :meth:`try_again` was called; the alarm ends with the last one.
    """

    def __init__(
        self, folder: Path, max_bytes: int, alarms: Alarms, is_own: Callable[[Path], bool]
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._alarms = alarms
        self._is_own = is_own
        self._aside: dict[Path, str] = {}
        self._due: set[Path] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool-orphans")

    async def waiting(self) -> list[Path]:
        """Return what may wait to be drained, by name: other living processes' files as well."""
        try:
            found = await self.in_thread(lambda: spool_files(self._folder))
        except SpoolFailed as error:
            self.set_aside(self._folder, error)
            return []
        for path in self._aside.keys() - set(found):
            self.done(path)
        return [
            path
            for path in found
            if not self._is_own(path) and (path not in self._aside or path in self._due)
        ]

    async def open(self, path: Path) -> SpoolFile | None:
        """Return one of them, opened and locked; None if it is not to be had."""
        self._due.discard(path)
        try:
            return await self.in_thread(lambda: open_leftover(path, self._max_bytes, to_empty=True))
        except InUse:
            return None
        except SpoolFailed as error:
            self.set_aside(path, error)
            return None

    def set_aside(self, path: Path, error: Exception) -> None:
        """Leave a file that cannot be used to a person, so that the others are drained."""
        self._aside[path] = str(error)
        self._tell()

    def done(self, path: Path) -> None:
        """Note that a file was drained, or is gone."""
        if self._aside.pop(path, None) is not None:
            self._tell()

    def try_again(self) -> None:
        """Have what was set aside tried once more: a disk may have been mended."""
        self._due = set(self._aside)

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Do ``work`` in the thread for what others left: a large file takes long to open."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """End the thread, once it has nothing to do."""
        self._thread.shutdown(wait=False)

    def _tell(self) -> None:
        if not self._aside:
            self._alarms.over("", "spool-damaged")
            return
        why, *others = self._aside.values()
        if others:
            why += f" (and {counted(len(others), 'file')} more)"
        self._alarms.sound("", "spool-damaged", why=why, remedy=_REMEDY)
