"""What begins to arrive in one turn of the loop, on all connections, is read together.

So each step is done for all of it before the next step: what a step needs of the processor's caches
is there for all but the first, which makes a tenth of what a webhook costs.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from aiohttp import web

from receiver.http.whole import Whole, WholeReader

if TYPE_CHECKING:
    from receiver.http.protocol import Connection

Arrived: TypeAlias = "tuple[Connection, Whole]"
"""A webhook that came whole, and the connection on which it is to be answered."""


class Listener(Protocol):
    """Who answers requests."""

    def answer(self, arrived: Sequence[Arrived]) -> None:
        """Answer what came whole, now or later, with :meth:`Connection.reply`."""

    def give_up(self, connection: "Connection") -> None:
        """Owe no answer any more for what came whole on ``connection``, which is closed."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any other request."""


class Arrivals:
    """Gives a listener what came whole, and to aiohttp what did not.

    Raises:
        RuntimeError: there is no running loop.
    """

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self._reader = WholeReader()
        self._loop = asyncio.get_running_loop()
        self._pieces: list[tuple[Connection, bytes]] = []

    def begin(self, connection: "Connection", piece: bytes) -> None:
        """Read the first piece of a request at the end of this turn."""
        if not self._pieces:
            self._loop.call_soon(self._end)
        self._pieces.append((connection, piece))

    def _end(self) -> None:
        pieces, self._pieces = self._pieces, []
        arrived: list[Arrived] = []
        others: list[tuple[Connection, bytes, int | None]] = []
        for connection, piece in pieces:
            read = self._reader.read(piece)
            if isinstance(read, Whole):
                arrived.append((connection, read))
            else:
                others.append((connection, piece, read))
        self.listener.answer(arrived)
        for connection, piece, size in others:
            connection.hand_over(piece, size)
