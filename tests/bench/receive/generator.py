"""The load in a process of its own, so that nothing else takes turns with it."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from types import TracebackType
from typing import Self

from tests.bench.receive.load import Outcome, Shape, run
from tests.bench.receive.traffic import COUNT, Target, requests, traffic


class Generator:
    """Loads servers, one at a time, with the webhooks of :func:`traffic`."""

    def __init__(self) -> None:
        # Forked, it would have the threads and the loop of this process half.
        spawn = multiprocessing.get_context("spawn")
        self._process = ProcessPoolExecutor(1, mp_context=spawn)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.shutdown()

    async def load(self, target: Target, shape: Shape) -> Outcome:
        """Load ``target``; return what came of it.

        Raises:
            OSError: nobody listens there.
            TimeoutError: it does not answer any more.
            UnreadableAnswer: what answers there is not understood.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._process, _load, target, shape)


def _load(target: Target, shape: Shape) -> Outcome:
    return run((target.host, target.port), _rendered(target), shape)


@lru_cache(maxsize=8)
def _rendered(target: Target) -> list[bytes]:
    return requests(target, traffic(COUNT))
