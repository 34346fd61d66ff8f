"""What webhooks are answered, written in one piece.

aiohttp makes the head of an answer from a dictionary, name by name, which is a fifth of what a
request costs here; and of all answers, this is the one that is given thousands of times a second.
"""

from email.utils import formatdate
from functools import lru_cache
from time import time
from typing import Final, cast

from aiohttp import HttpVersion11, hdrs, web

from receiver.http.protocol import Connection

_TEXT: Final = "accepted\n"


class Accepted(web.StreamResponse):
    """200 for a request that came by HTTP/1.1 and leaves its connection open.

    There is one for all of them, since making one takes aiohttp longer than writing it: what a
    request has of its own is kept with its connection, which answers one at a time.
    """

    @property
    def keep_alive(self) -> bool:
        """Tell that the connection stays open."""
        return True

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write the whole answer.

        Raises:
            ConnectionError: nobody is left to read it.
        """
        connection = cast("Connection", request.protocol)
        transport = connection.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("nobody is left to read the answer")
        transport.write(acceptance(connection.request_id))
        if connection.unread:
            # For whoever lets answers wait, no other is made.
            await request.writer.drain()

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: all is written."""


def accepted(
    request: web.BaseRequest, connection: Connection, request_id: str
) -> web.StreamResponse:
    """Return the 200 for a webhook of which the whole was read."""
    if request.version == HttpVersion11 and request.keep_alive:
        connection.request_id = request_id
        return _accepted
    return web.Response(text=_TEXT, headers={"X-Request-Id": request_id})


_accepted = Accepted()


def acceptance(request_id: str) -> bytes:
    """Return the 200 for a webhook whose connection stays open."""
    return f"{_head(int(time()))}X-Request-Id: {request_id}\r\n\r\n{_TEXT}".encode()


def in_one_piece(response: web.Response, *, close: bool = False) -> bytes:
    """Return an answer of text as HTTP/1.1 has it; ``close`` tells that the connection ends."""
    body = (response.text or "").encode()
    headers = response.headers.copy()
    headers[hdrs.CONTENT_LENGTH] = str(len(body))
    headers[hdrs.DATE] = formatdate(usegmt=True)
    if close:
        headers[hdrs.CONNECTION] = "close"
    lines = [f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@lru_cache(1)
def _head(second: int) -> str:
    """Return all that the answers of one second share."""
    return (
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(_TEXT)}\r\n"
        f"Date: {formatdate(second, usegmt=True)}\r\n"
    )
