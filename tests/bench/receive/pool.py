"""Keep-alive connections to one server, waited for together."""

import select
import socket
from typing import Final, NamedTuple

from tests.bench.receive.wire import INCOMPLETE, closes, status_of

BROKEN: Final = -1
"""The status of a request whose connection ended before it was answered."""

_CONNECT_WITHIN = 10.0
_READ = 1 << 16


class Answered(NamedTuple):
    """The number of a request, its ``since``, and how it was answered."""

    request: int
    since: float
    status: int


class _Connection:
    """One of them; ``request`` is the number of what it was sent, None while it is free."""

    __slots__ = ("answer", "request", "since", "socket")

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        self.answer = b""
        self.request: int | None = None
        self.since = 0.0


class Pool:
    """``size`` connections to ``address``; one that ends is replaced.

    Raises:
        OSError: nobody listens there.
    """

    def __init__(self, address: tuple[str, int], size: int) -> None:
        self._address = address
        self._epoll = select.epoll()
        self._connections: dict[int, _Connection] = {}
        self._free: list[_Connection] = []
        for _ in range(size):
            self._add()

    @property
    def free(self) -> int:
        """Return how many connections wait for a request."""
        return len(self._free)

    @property
    def unanswered(self) -> list[Answered]:
        """Return the requests under way, as if they had broken off."""
        return [
            Answered(held.request, held.since, BROKEN)
            for held in self._connections.values()
            if held.request is not None
        ]

    def send(self, number: int, request: bytes, since: float) -> None:
        """Send a request on a free connection, of which there must be one.

        ``since`` is the time, of the caller's clock, that its answer will be counted from.
        """
        connection = self._free.pop()
        connection.request, connection.since = number, since
        try:
            sent = connection.socket.send(request)
        except OSError:
            # The server closed it, and what is read next will say so.
            return
        if sent < len(request):
            raise OSError(f"only {sent} bytes of a request were taken")

    def receive(self, within: float) -> list[Answered]:
        """Wait up to ``within`` seconds for answers; return those that came.

        Raises:
            UnreadableAnswer: what answers there is not understood.
        """
        # epoll counts in milliseconds, and select in microseconds.
        select.select([self._epoll], [], [], within)
        answered = []
        for descriptor, _ in self._epoll.poll(0):
            connection = self._connections[descriptor]
            request, since = connection.request, connection.since
            status = self._read(connection)
            if request is not None and status != INCOMPLETE:
                answered.append(Answered(request, since, status))
        return answered

    def close(self) -> None:
        """Close them all."""
        for connection in self._connections.values():
            connection.socket.close()
        self._epoll.close()

    def _read(self, connection: _Connection) -> int:
        try:
            data = connection.socket.recv(_READ)
        except OSError:
            data = b""
        if not data:
            self._replace(connection)
            return BROKEN
        answer = connection.answer + data
        status = status_of(answer)
        if status == INCOMPLETE:
            connection.answer = answer
        elif closes(answer):
            self._replace(connection)
        else:
            connection.answer, connection.request = b"", None
            self._free.append(connection)
        return status

    def _replace(self, connection: _Connection) -> None:
        if connection.request is None:
            self._free.remove(connection)
        del self._connections[connection.socket.fileno()]
        connection.socket.close()
        self._add()

    def _add(self) -> None:
        opened = socket.create_connection(self._address, timeout=_CONNECT_WITHIN)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setblocking(False)
        connection = _Connection(opened)
        self._connections[opened.fileno()] = connection
        self._epoll.register(opened.fileno(), select.EPOLLIN)
        self._free.append(connection)
