"""One worker, as its supervisor sees it: it is started again whenever its process ends."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from time import monotonic as system_monotonic
from typing import Final

import structlog

from receiver.observability.alarms import Alarms
from receiver.workers.backoff import Backoff
from receiver.workers.life import Life
from receiver.workers.sharing import SharedPort

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_ALARMED: Final = 2
"""Ends in a row from which on a person must look at it."""

Start = Callable[[int, socket.socket | None], Awaitable[Life]]
"""Starts the process of the worker of that number, with its share of the public port."""


class State(StrEnum):
    """What a worker is doing; it waits when it has ended and is to be started again."""

    STARTING = "starting"
    SERVING = "serving"
    WAITING = "waiting"
    ENDING = "ending"


class Worker:
    """Keeps one worker running until it is told to drain.

    Its share of ``port`` is closed when its process stops: connections then go to the others. Only
    if ``alone``, when none of them serves, it outlives the process, so that whoever connects waits
    for the next one and is not refused; for ``held_for`` seconds, since whoever waited longer would
    be answered too late. ``port`` is None for workers that receive nothing.
    """

    def __init__(
        self,
        number: int,
        port: SharedPort | None,
        start: Start,
        alarms: Alarms,
        *,
        held_for: float,
        alone: Callable[[], bool],
        monotonic: Callable[[], float] = system_monotonic,
    ) -> None:
        self.number = number
        self.state = State.STARTING
        self.why = ""
        self.code = 0
        self.restarts = 0
        self.backoff = Backoff(monotonic)
        self.served = asyncio.Event()
        self._port = port
        self._share = None if port is None else port.share()
        self._start = start
        self._alarms = alarms
        self._held_for = held_for
        self._alone = alone
        self._now = monotonic
        self._life: Life | None = None
        self._ended_at = self._now()
        self._down = True
        self._draining = asyncio.Event()

    @property
    def answers(self) -> bool:
        """Tell whether its admin listener should be there: to the end, as a single process's."""
        return self._life is not None and self.state in {State.SERVING, State.ENDING}

    @property
    def pid(self) -> int | None:
        """Return the id of its process, if there is one."""
        return None if self._life is None else self._life.pid

    async def live(self) -> bool:
        """Start its process and wait for the end of that; False if that was to be the last."""
        if self._draining.is_set():
            return False
        try:
            self.code = await self._live()
            self.why = f"it ended with {self.code}"
        except OSError as error:
            self.code, self.why = 1, f"it cannot be started: {error}"
        if self._draining.is_set():
            return False
        self.state = State.WAITING
        self.backoff.ended()
        if not self._down:
            self._down, self._ended_at = True, self._now()
        return True

    async def rest(self) -> None:
        """Wait until it is time to start it again."""
        pause = self.backoff.pause
        log.error("a worker ended", worker=self.number, why=self.why, again_in=pause)
        if self.backoff.failures >= _ALARMED:
            self._alarms.sound(
                "",
                f"worker-{self.number}-down",
                why=self.why,
                remedy="read what it logged before it ended; it is started again by itself",
            )
        held = max(0.0, self._ended_at + self._held_for - self._now())
        if held < pause:
            await self._sleep(held)
            self._drop_share()
            pause -= held
        await self._sleep(pause)
        if not self._draining.is_set():
            self.restarts += 1
            self.state = State.STARTING

    def drain(self) -> None:
        """Have it finish what is under way and end, and start no other in its place."""
        self._draining.set()
        self.state = State.ENDING
        self._drop_share()
        if self._life is not None:
            self._life.drain()

    def kill(self) -> None:
        """End its process at once, if there is one."""
        if self._life is not None:
            self._life.kill()

    async def _live(self) -> int:
        if self._share is None and self._port is not None:
            self._share = self._port.share()
        self._life = life = await self._start(self.number, self._share)
        try:
            if self._draining.is_set():
                life.drain()
            elif await life.serving() and not self._draining.is_set():
                self._serves()
                await life.stopping()
                self.state = State.ENDING
            # It may have listened without ever saying that it serves.
            if not self._alone():
                self._drop_share()
            return await life.ended()
        finally:
            self._life = None

    def _serves(self) -> None:
        self.state, self.why, self._down = State.SERVING, "", False
        self.backoff.serves()
        self.served.set()
        self._alarms.over("", f"worker-{self.number}-down")

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._draining.wait()

    def _drop_share(self) -> None:
        if self._share is not None:
            self._share.close()
            self._share = None
