"""Watching for workers that hang: they keep their share of the connections, and answer nobody."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic as system_monotonic
from typing import Final

import structlog

from receiver.workers.asking import AdminOf, ask_all
from receiver.workers.worker import State, Worker

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_EVERY: Final = 5.0
PATIENCE: Final = 30.0
"""Seconds for which a worker may answer nothing: longer than any pause that it makes by itself."""


class Vigil:
    """Kills workers that serve and have answered nothing for :data:`PATIENCE`.

    A probe of ``/livez`` would have a single process started again; that of several workers is
    answered by their supervisor, so it has to look itself. To kill is safe: see
    :mod:`receiver.process`.
    """

    def __init__(
        self, admins: Sequence[AdminOf], monotonic: Callable[[], float] = system_monotonic
    ) -> None:
        self._admins = admins
        self._now = monotonic
        self._silent_since: dict[int | None, float] = {}

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            await self.look()

    async def look(self) -> None:
        """Ask each worker whether it lives, and kill those that are silent for too long."""
        asked_at = self._now()
        answers = await ask_all(self._admins, "/livez")
        silent = [worker for worker, answer in answers if answer is None and _serves(worker)]
        self._silent_since = {
            worker.pid: self._silent_since.get(worker.pid, asked_at) for worker in silent
        }
        for worker in silent:
            if self._now() - self._silent_since[worker.pid] >= PATIENCE:
                log.error("a worker hangs: it is killed", worker=worker.number, pid=worker.pid)
                worker.kill()


def _serves(worker: Worker) -> bool:
    return worker.state is State.SERVING
