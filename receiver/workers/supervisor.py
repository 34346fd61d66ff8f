"""The supervisor: it keeps all workers running, until it is told to end or none can be started."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from receiver.workers.worker import Worker

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

END_WITHIN: Final = 29.0
"""Seconds for the workers to end by themselves, which they do sooner; less than 30."""

GIVE_UP_AFTER: Final = 3
"""Starts of one worker that all came to nothing, while no other has ever served: something is
wrong that another start will not mend."""


class Supervisor:
    """All workers of one command."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.workers = workers
        self.draining = False

    async def run(self, stop: asyncio.Event, on_serving: Callable[[], None]) -> int:
        """Keep the workers running until ``stop``, then drain them; return the exit code.

        ``on_serving`` is called once all of them serve. Without ``stop`` it returns only if no
        worker can be started: then with the code that they end with.
        """
        runs = {asyncio.create_task(self._keep(worker)): worker for worker in self.workers}
        stopped = asyncio.create_task(stop.wait())
        told = asyncio.create_task(self._tell(on_serving))
        ended, _ = await asyncio.wait({stopped, *runs}, return_when=asyncio.FIRST_COMPLETED)
        hopeless = [runs[task] for task in runs if task in ended and not stop.is_set()]
        await self._drain(list(runs))
        for task in (stopped, told):
            task.cancel()
        for worker in hopeless:
            log.error("no worker can be started: ending", worker=worker.number, why=worker.why)
            return max(worker.code, 1)
        return 0

    def kill(self) -> None:
        """End all workers at once."""
        for worker in self.workers:
            worker.kill()

    async def _keep(self, worker: Worker) -> None:
        while await worker.live():
            if worker.backoff.failures >= GIVE_UP_AFTER and not self._any_served:
                return
            await worker.rest()

    @property
    def _any_served(self) -> bool:
        return any(worker.served.is_set() for worker in self.workers)

    async def _tell(self, on_serving: Callable[[], None]) -> None:
        for worker in self.workers:
            await worker.served.wait()
        on_serving()

    async def _drain(self, runs: list[asyncio.Task[None]]) -> None:
        self.draining = True
        for worker in self.workers:
            worker.drain()
        _, left = await asyncio.wait(runs, timeout=END_WITHIN)
        if left:
            log.warning("ended without waiting any longer", seconds=END_WITHIN)
            self.kill()
            await asyncio.wait(left)
