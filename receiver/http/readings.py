"""Readings that several may wait for: each goes through a whole topic."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

_T = TypeVar("_T")

AT_ONCE: Final = 1
"""Readings that run at the same time: one is enough for people."""


@dataclass(slots=True)
class _UnderWay(Generic[_T]):
    """A reading, and how many wait for it."""

    task: asyncio.Task[_T]
    waiting: int = 0


class Readings(Generic[_T]):
    """Reads few things at once, and the same thing once for all who ask for it meanwhile.

    A reading that nobody waits for any more is broken off, or never begun.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turn = asyncio.Semaphore(at_once)
        self._under_way: dict[Hashable, _UnderWay[_T]] = {}

    async def of(self, question: Hashable, read: Callable[[], Coroutine[None, None, _T]]) -> _T:
        """Return what ``read`` returns, or what it does that was begun for an equal question."""
        reading = self._under_way.get(question)
        if reading is None or reading.task.done():
            reading = _UnderWay(asyncio.create_task(self._in_turn(read)))
            self._under_way[question] = reading
        reading.waiting += 1
        try:
            return await asyncio.shield(reading.task)
        finally:
            reading.waiting -= 1
            if not reading.waiting:
                reading.task.cancel()
                # Whoever asks now must not wait for what was broken off.
                if self._under_way.get(question) is reading:
                    del self._under_way[question]

    async def _in_turn(self, read: Callable[[], Coroutine[None, None, _T]]) -> _T:
        async with self._turn:
            return await read()
