"""The network between services and brokers: TCP proxies that can be cut, slowed down and reset."""

import asyncio
import contextlib
import socket
import struct
from types import TracebackType
from typing import Self

CHUNK = 1 << 16
_LINGER_NOT = struct.pack("ii", 1, 0)


class Link:
    """One way from one service to one broker: listens on ``front``, leads to ``back``.

    While it is cut it takes connections and bytes and hands nothing on; what it took arrives when
    it is mended, late, as a network's retransmissions do. ``delay`` is in seconds, for every piece
    in either direction.
    """

    def __init__(self, front: int, back: int) -> None:
        self.delay = 0.0
        self._front = front
        self._back = back
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._front, limit=CHUNK
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Hand nothing on from now on: a black hole."""
        self._open.clear()

    def mend(self) -> None:
        """Hand everything on again, at once, also what was held back."""
        self.delay = 0.0
        self._open.set()

    def reset(self) -> None:
        """Break all present connections, on both sides, with a TCP reset."""
        for writer in list(self._writers):
            raw = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(reader, writer)
        except OSError:
            pass  # either side is gone: so is the connection
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._back, limit=CHUNK)
        both = {writer, far_writer}
        self._writers |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer))
                group.create_task(self._pump(far_reader, writer))
        except* OSError:
            pass
        finally:
            self._writers -= both
            far_writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(CHUNK):
            await self._pass()
            sink.write(data)
            await sink.drain()
        await self._pass()
        sink.close()

    async def _pass(self) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        await self._open.wait()
