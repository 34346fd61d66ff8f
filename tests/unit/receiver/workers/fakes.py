"""Workers whose processes are made up: a test says when each serves and how it ends."""

import asyncio
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from receiver.observability.alarms import Alarms
from receiver.workers.life import Life
from receiver.workers.sharing import SharedPort
from receiver.workers.worker import State, Worker

HELD_FOR = 5.0
PID = 4711


class FakeLife:
    """A process that starts, serves and ends when it is told to."""

    pid = PID

    def __init__(self) -> None:
        self._serving: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._stopping: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.drained = False
        self.slow_to_end = False

    def serve(self) -> None:
        """Say that it serves."""
        self._serving.set_result(True)

    def stop(self) -> None:
        """Say that it drains."""
        if not self._stopping.done():
            self._stopping.set_result(None)

    def end(self, code: int) -> None:
        """End with a code."""
        self.stop()
        if not self._serving.done():
            self._serving.set_result(False)
        if not self._code.done():
            self._code.set_result(code)

    async def serving(self) -> bool:
        """Wait as the real one does."""
        return await self._serving

    async def stopping(self) -> None:
        """Wait as the real one does."""
        await self._stopping

    async def ended(self) -> int:
        """Wait as the real one does."""
        return await self._code

    def drain(self) -> None:
        """End in order, unless it is slow."""
        self.drained = True
        self.stop()
        if not self.slow_to_end:
            self.end(0)

    def kill(self) -> None:
        """End at once."""
        self.end(-9)


@dataclass
class FakeShare:
    """A share of a port: is it open?"""

    closed: bool = False

    def close(self) -> None:
        """Close it."""
        self.closed = True


@dataclass
class FakePort:
    """Deals out shares."""

    shares: list[FakeShare] = field(default_factory=list)

    def share(self) -> FakeShare:
        """Return a new one."""
        self.shares.append(FakeShare())
        return self.shares[-1]


@dataclass
class Nursery:
    """Starts made-up processes, and keeps them: the last of each worker is the one that runs."""

    lives: dict[int, list[FakeLife]] = field(default_factory=dict)
    given: list[object] = field(default_factory=list)
    barren: bool = False

    async def start(self, number: int, share: socket.socket | None) -> Life:
        """Start as the real one does."""
        if self.barren:
            raise OSError("no more processes")
        self.given.append(share)
        self.lives.setdefault(number, []).append(FakeLife())
        return cast("Life", self.lives[number][-1])


def worker(
    nursery: Nursery, port: FakePort | None = None, number: int = 0, *, alone: bool = True
) -> Worker:
    """Return a worker in the loop's own time; ``alone``, if none of the others ever serves."""
    return Worker(
        number,
        cast("SharedPort | None", port),
        nursery.start,
        Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC)),
        held_for=HELD_FOR,
        alone=lambda: alone,
        monotonic=asyncio.get_running_loop().time,
    )


def as_it_is(number: int, state: State = State.SERVING, why: str = "") -> Worker:
    """Return a worker that is in a state, and does nothing."""
    alarms = Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    found = Worker(number, None, Nursery().start, alarms, held_for=HELD_FOR, alone=lambda: True)
    found.state, found.why = state, why
    if state in {State.SERVING, State.ENDING}:
        found._life = cast("Life", SimpleNamespace(pid=PID))
    return found


async def settled() -> None:
    """Let everybody come as far as they can without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)
