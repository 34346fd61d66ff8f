"""One request over HTTP/1.1 and its answer, on connections that aiohttp makes and keeps.

aiohttp's ``ClientSession`` gives each request what nobody wants here: cookies, redirects, proxies,
passwords in URLs. That takes longer than all else that a poll does. So only its connections are
used, and its parser with all of that one's limits.
"""

import asyncio
import re

from aiohttp import (
    ClientError,
    ClientOSError,
    ClientRequest,
    ClientTimeout,
    ServerDisconnectedError,
    StreamReader,
    TCPConnector,
    hdrs,
)
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage
from yarl import URL

from handlers.exchange import Request

_USER_AGENT = "payevents"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS = frozenset(
    {"host", "user-agent", "accept-encoding", "content-length", "transfer-encoding", "connection"}
)
"""Headers that nobody else may set: two of a kind, or one of another length, would be read as two
requests by one server and as one by the next."""
_FIRST_FINAL, _SWITCHING_PROTOCOLS = 200, 101
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_IDEMPOTENT = _BODILESS | {"PUT", "DELETE"}
"""RFC 9110, section 9.2.2."""

# The whole call has its time; no part of it has one of its own.
_NO_TIMEOUT = ClientTimeout()


class Wire:
    """Makes requests to one host, each within ``timeout`` seconds.

    It takes as much of an answer as ``most`` bytes.
    """

    def __init__(self, connector: TCPConnector, base: URL, timeout: float, most: int) -> None:
        self._connector = connector
        self._timeout = timeout
        self._most = most
        # What the connector is asked with, for each connection anew: it says where to, and how.
        self._opening = ClientRequest(hdrs.METH_GET, base, loop=asyncio.get_running_loop())
        headers = self._opening.headers
        self._head = (
            f"Host: {headers[hdrs.HOST]}\r\n"
            f"Accept-Encoding: {headers[hdrs.ACCEPT_ENCODING]}\r\n"
            f"User-Agent: {_USER_AGENT}\r\n"
        )

    async def exchange(self, request: Request, target: str) -> tuple[RawResponseMessage, bytes]:
        """Send a request for ``target``, path and query; return the answer's head and body.

        Raises:
            ClientError: there was no connection, or no whole answer.
            TimeoutError: it took too long.
            ValueError: the request cannot be sent, or its answer not be read.
        """
        written = self._written(request, target)
        is_repeatable = request.method in _IDEMPOTENT
        async with asyncio.timeout(self._timeout):
            while True:
                connection = await self._connector.connect(self._opening, [], _NO_TIMEOUT)
                try:
                    answer = await self._round_trip(connection, written, request.method)
                except (ClientOSError, ServerDisconnectedError):
                    # It may have been closed just when it was chosen (RFC 9112, section 9.3.1).
                    connection.close()
                    if not is_repeatable:
                        raise
                    is_repeatable = False
                except BaseException:
                    connection.close()
                    raise
                else:
                    connection.release()
                    return answer

    async def _round_trip(
        self, connection: Connection, written: bytes, method: str
    ) -> tuple[RawResponseMessage, bytes]:
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None:
            raise ServerDisconnectedError
        protocol.set_response_params(skip_payload=method == hdrs.METH_HEAD, read_until_eof=True)
        transport.write(written)
        while True:
            try:
                head, content = await protocol.read()
            except HttpProcessingError:
                # Only that it is so, and no chain: its text may hold what was sent.
                raise AnswerUnreadable from None
            if head.code >= _FIRST_FINAL or head.code == _SWITCHING_PROTOCOLS:
                return head, await self._read(content)

    async def _read(self, content: StreamReader) -> bytes:
        chunks, size = [], 0
        try:
            while not content.at_eof():
                chunk = await content.readany()
                chunks.append(chunk)
                size += len(chunk)
                if size > self._most:
                    raise AnswerTooLarge
        except ClientError as error:
            # The stream keeps the error, which would keep the stream and all that was read of it
            # until the garbage collector comes by.
            error.__traceback__ = None
            raise AnswerBroken(str(error)) from None
        return b"".join(chunks)

    def _written(self, request: Request, target: str) -> bytes:
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        given = {name.lower() for name in request.headers}
        if not given.isdisjoint(_OURS):
            raise HeaderRefused
        if "accept" not in given:
            lines.append("Accept: */*")
        if request.body or request.method not in _BODILESS:
            lines.append(f"Content-Length: {len(request.body)}")
        if any(map(_CONTROL.search, lines)):
            raise HeaderRefused
        below = "\r\n".join(lines)
        head = f"{request.method} {target} HTTP/1.1\r\n{self._head}{below}\r\n\r\n"
        return head.encode() + request.body


class AnswerTooLarge(ValueError):
    """An answer is larger than ``poller.max_response``."""


class AnswerBroken(ClientError):
    """An answer broke off."""


class AnswerUnreadable(ValueError):
    """An answer is not HTTP."""


class HeaderRefused(ValueError):
    """A request's header would be more than one, or is not the request's to say."""
