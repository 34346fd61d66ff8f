"""One process of a worker, from its start to its end."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from receiver.workers.lifeline import LifelineHolder
from receiver.workers.place import Place

PROGRAM: Final = (sys.executable, "-P", "-m", "receiver.cli.worker")
"""What a worker is; -P, so that a folder that happens to be the current one is never imported."""


class Life:
    """A process that was started, and the supervisor's end of its lifeline."""

    def __init__(self, process: asyncio.subprocess.Process, lifeline: LifelineHolder) -> None:
        self._process = process
        self._lifeline = lifeline

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        return self._process.pid

    async def serving(self) -> bool:
        """Wait until it serves; False if it drains or ends before."""
        return await self._lifeline.serving()

    async def stopping(self) -> None:
        """Wait until it drains, or has ended."""
        await self._lifeline.stopping()

    async def ended(self) -> int:
        """Wait for its end; return the exit code, or the number of a signal with a minus."""
        code = await self._process.wait()
        self._lifeline.close()
        return code

    def drain(self) -> None:
        """Have it finish what is under way and end."""
        self._lifeline.cut()

    def kill(self) -> None:
        """End it at once: what was answered 200 is durable."""
        with suppress(ProcessLookupError):
            self._process.kill()


@dataclass(frozen=True, slots=True)
class Launcher:
    """Starts the processes of all workers, each with a share of the port, if they receive.

    ``folder`` is where their admin listeners have their unix sockets.
    """

    folder: Path
    config: Path | None
    roles: Sequence[str]
    program: Sequence[str] = PROGRAM

    def admin(self, number: int) -> Path:
        """Return the path of the unix socket of a worker's admin listener."""
        return self.folder / f"{number}.sock"

    async def start(self, number: int, share: socket.socket | None) -> Life:
        """Start a process.

        Raises:
            OSError: the system cannot.
        """
        lifeline = LifelineHolder()
        try:
            process = await self._spawn(number, share, lifeline.theirs)
        except BaseException:
            lifeline.close()
            raise
        lifeline.theirs.close()
        return Life(process, lifeline)

    async def _spawn(
        self, number: int, share: socket.socket | None, lifeline: socket.socket
    ) -> asyncio.subprocess.Process:
        place = Place(
            number=number,
            lifeline=lifeline.fileno(),
            public=None if share is None else share.fileno(),
            admin=str(self.admin(number)),
            config=None if self.config is None else str(self.config),
            roles=list(self.roles),
        )
        return await asyncio.create_subprocess_exec(
            *self.program,
            place.as_argument(),
            pass_fds=place.descriptors,
            stdin=subprocess.DEVNULL,
            # Ctrl-C reaches the whole group of a terminal; the supervisor alone says when to end.
            process_group=0,
        )
