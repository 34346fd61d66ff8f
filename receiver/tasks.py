"""Named background tasks that nobody can lose sight of."""

import asyncio
from collections.abc import Coroutine

import structlog

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Tasks:
    """Runs tasks that go on until they are cancelled; one that ends by itself is a defect."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._ended: asyncio.Future[str] | None = None
        self._cancelling = False

    def spawn(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Run ``work`` under ``name``."""
        task = asyncio.create_task(work, name=name)
        self._tasks[task] = None
        task.add_done_callback(self._note_end)

    async def any_ended(self) -> str:
        """Wait until a task has ended by itself; return its name."""
        if self._ended is None:
            self._ended = asyncio.get_running_loop().create_future()
        return await self._ended

    async def cancel(self) -> None:
        """Cancel all, the latest first, and wait for each to end."""
        self._cancelling = True
        for task in reversed(list(self._tasks)):
            task.cancel()
            await asyncio.wait([task])

    def _note_end(self, task: "asyncio.Task[None]") -> None:
        del self._tasks[task]
        if task.cancelled() and self._cancelling:
            return
        why = None if task.cancelled() else task.exception()
        log.error("a background task ended", task=task.get_name(), exc_info=why)
        if self._ended is None:
            self._ended = asyncio.get_running_loop().create_future()
        if not self._ended.done():
            self._ended.set_result(task.get_name())
