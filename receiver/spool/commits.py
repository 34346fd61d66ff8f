"""Group commit: what came in while one commit was under way goes into the next, together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import structlog

from receiver.observability.alarms import Alarms
from receiver.spool.errors import SpoolFailed, SpoolSlow
from receiver.spool.file import Spooled

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_BATCH = 200
_BATCH_BYTES = 4 * 2**20
_REMEDY = "look at the disk below spool.directory; webhooks are taken again once it writes"

_Waiting: TypeAlias = list[tuple[Spooled, "asyncio.Future[None]"]]


class GroupCommit:
    """Commits records one group after another, each with the call that it is given.

    What waits belongs to requests that are not answered yet: their number and their bytes are
    bounded before they come here. A commit that takes longer than ``slowest`` seconds is not waited
    for: whoever waits is refused then, and whoever comes, until that commit has ended. No more than
    that one group is held beyond what its requests hold.

    ``commit`` returns why a group was not written, None if it was. ``slow`` says that the disk
    hangs; empty if it does not.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Spooled]], Awaitable[Exception | None]],
        alarms: Alarms,
        slowest: float,
    ) -> None:
        self.slow = ""
        self._commit = commit
        self._alarms = alarms
        self._slowest = slowest
        self._waiting: _Waiting = []
        self._under_way: _Waiting = []
        self._writing: asyncio.Task[None] | None = None

    async def append(self, record: Spooled) -> None:
        """Return once ``record`` is committed.

        Raises:
            SpoolSlow: the disk hangs. The record may be written yet, which is harmless.
            Exception: what ``commit`` returned.
        """
        if self.slow:
            raise SpoolSlow(self.slow)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((record, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="spool-writer")
        await written

    async def end(self) -> None:
        """Wait until all that was appended is committed, or refused."""
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            count = _group([record for record, _ in self._waiting[:_BATCH]])
            self._under_way, self._waiting = self._waiting[:count], self._waiting[count:]
            alarm = loop.call_later(self._slowest, self._on_slow)
            try:
                error = await self._commit([record for record, _ in self._under_way])
            except Exception as unexpected:
                # Whoever waits must hear of it, whatever it was.
                log.exception("a commit to the spool failed")
                error = SpoolFailed(repr(unexpected))
            finally:
                alarm.cancel()
            _settle(self._under_way, error)
            self._under_way = []
            self.slow = ""
            self._alarms.over("", "spool-slow")

    def _on_slow(self) -> None:
        """Refuse all who wait; what is not under way yet is forgotten."""
        self.slow = f"the disk has not written anything for {self._slowest:g} seconds"
        self._alarms.sound("", "spool-slow", why=self.slow, remedy=_REMEDY)
        waiting, self._waiting = self._waiting, []
        error = SpoolSlow(self.slow)
        _settle(self._under_way, error)
        _settle(waiting, error)


def _group(records: Sequence[Spooled]) -> int:
    """Return how many of ``records`` are committed together: one, or as many as are small."""
    size = 0
    for count, record in enumerate(records):
        size += len(record.body)
        if size > _BATCH_BYTES:
            return max(1, count)
    return len(records)


def _settle(group: _Waiting, error: Exception | None) -> None:
    for _, written in group:
        # Whoever waited may have gone; the observation is written all the same.
        if written.done():
            continue
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
