"""A worker's connection to its supervisor: the supervisor's end of it is open while it should work.

However that end is closed, on purpose or by a supervisor that dies, the worker sees the same and
drains. A signal would not do: whoever ends a whole group of processes sends one to the workers too,
and a second signal ends a worker at once.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

_SERVING = b"s"
_STOPPING = b"e"
"""One byte each, so that the two are never read as one."""


class Lifeline:
    """The worker's end, which it has inherited."""

    def __init__(self, inherited: socket.socket) -> None:
        inherited.setblocking(False)
        self._socket = inherited
        self.cut = False

    def watch(self, ended: Callable[[], None]) -> None:
        """Call ``ended`` once the supervisor wants the worker to end, or is gone.

        Raises:
            RuntimeError: there is no running loop.
        """
        asyncio.get_running_loop().add_reader(self._socket, self._read, ended)

    def tell_serving(self) -> None:
        """Tell the supervisor that the worker serves."""
        self._tell(_SERVING)

    def tell_stopping(self) -> None:
        """Tell the supervisor that it drains, for whatever reason."""
        self._tell(_STOPPING)

    def _tell(self, message: bytes) -> None:
        # A supervisor that is gone is noticed by whoever watches.
        with suppress(OSError):
            self._socket.send(message)

    def _read(self, ended: Callable[[], None]) -> None:
        # A supervisor never writes: there is something to read only once its end is closed.
        asyncio.get_running_loop().remove_reader(self._socket)
        self.cut = True
        ended()


class LifelineHolder:
    """The supervisor's end; ``theirs`` is for the worker to inherit."""

    def __init__(self) -> None:
        self._ours, self.theirs = socket.socketpair()
        self._ours.setblocking(False)

    async def serving(self) -> bool:
        """Wait for the worker to say that it serves; False if it drains or ends before."""
        return await self._next() == _SERVING

    async def stopping(self) -> None:
        """Wait for the worker that serves to say that it drains, or to end."""
        await self._next()

    async def _next(self) -> bytes:
        with suppress(ConnectionError):
            return await asyncio.get_running_loop().sock_recv(self._ours, 1)
        return b""

    def cut(self) -> None:
        """Have the worker drain and end."""
        # It may be read from just now, so it is not closed yet.
        with suppress(OSError):
            self._ours.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close both ends, once the worker has ended."""
        self._ours.close()
        self.theirs.close()
