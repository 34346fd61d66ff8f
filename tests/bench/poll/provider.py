"""A provider that costs as little as can be: it answers what it wrote down before, or waits."""

import asyncio
from collections.abc import Mapping
from typing import Self

_BASE = "/api/v1"
_END = b"\r\n\r\n"


class StandIn:
    """Answers GETs of known paths, while it is open; closed, it lets them wait.

    So one contender can rest while another works. ``answered`` counts its answers.
    """

    def __init__(self) -> None:
        self.answered = 0
        self.port = 0
        self._answers: dict[bytes, bytes] = {}
        self._is_open = True
        self._waiting: list[tuple[_Connection, bytes]] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def base_url(self) -> str:
        """The URL that the paths are below."""
        return f"http://127.0.0.1:{self.port}{_BASE}"

    def show(self, bodies: Mapping[str, bytes]) -> None:
        """Answer GETs of these paths below the base URL from now on."""
        self._answers = {f"{_BASE}{path}".encode(): _answer(bodies[path]) for path in bodies}

    def open(self) -> None:
        """Answer whoever waits, and from now on at once."""
        self._is_open = True
        waiting, self._waiting = self._waiting, []
        for connection, path in waiting:
            self.answer(connection, path)

    def close(self) -> None:
        """Let everyone wait."""
        self._is_open = False

    def answer(self, connection: "_Connection", path: bytes) -> None:
        """Answer a request for ``path``."""
        if self._is_open:
            self.answered += 1
            connection.send(self._answers[path])
        else:
            self._waiting.append((connection, path))


class _Connection(asyncio.Protocol):
    def __init__(self, provider: StandIn) -> None:
        self._provider = provider
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while _END in self._received:
            head, _, self._received = self._received.partition(_END)
            self._provider.answer(self, head.split(b" ", 2)[1])

    def send(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


def _answer(body: bytes) -> bytes:
    lines = [
        "HTTP/1.1 200 OK",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: max-age=0, private, must-revalidate",
        "Date: Thu, 01 Jan 2026 12:00:00 GMT",
        "\r\n",
    ]
    return "\r\n".join(lines).encode() + body
