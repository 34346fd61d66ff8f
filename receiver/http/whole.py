"""Requests that come whole: a webhook's head, its body and nothing else in one piece, as most do.

They are read by the parser that is behind aiohttp's server, and by nothing else of it: the stream,
the tasks and the request that it makes of each cost as much as all else that is done here.
"""

import asyncio
from typing import Final

import msgspec
from aiohttp import HttpVersion11, hdrs
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser, RawRequestMessage
from multidict import CIMultiDictProxy

from receiver.http.server import SERVER_OPTIONS

WEBHOOKS: Final = "/webhooks/"
"""What the path of each webhook begins with; the account's name follows."""

BEGINNING: Final = f"{hdrs.METH_POST} {WEBHOOKS}".encode()
"""What requests begin with that are read here."""

_END_OF_HEAD: Final = b"\r\n\r\n"
_LIMITS: Final = ("max_line_size", "max_field_size", "max_headers", "auto_decompress")
_MOST_AT_ONCE: Final = 2**24
"""Bytes: more than one read of a socket brings, so that the parser never asks for a pause."""


class Whole(msgspec.Struct, frozen=True, gc=False):
    """A webhook as it was sent, with nothing about it that needs more than an answer."""

    path: str
    headers: CIMultiDictProxy[str]
    body: bytes


class WholeReader:
    """Reads the first pieces of requests, whichever connections they come from.

    Raises:
        RuntimeError: there is no running loop.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = self._fresh()

    def read(self, piece: bytes) -> Whole | int | None:
        """Return the webhook that ``piece`` is, all of it and nothing else.

        If it is not one, return how many bytes the request has that begins with it, head and body;
        None if it does not tell, or if no other may follow it.
        """
        try:
            read = self._read(piece)
        except Exception:  # noqa: BLE001 - aiohttp meets it again, and answers it
            read = None
        if not isinstance(read, Whole):
            # The parser waits for the rest, or for the end of the connection, or has failed.
            self._parser = self._fresh()
        return read

    def _read(self, piece: bytes) -> Whole | int | None:
        head = piece.find(_END_OF_HEAD) + len(_END_OF_HEAD)
        if head < len(_END_OF_HEAD):
            return None
        messages, upgraded, _ = self._parser.feed_data(piece)
        if len(messages) != 1 or upgraded:
            return None
        message, payload = messages[0]
        if message.chunked or message.should_close:
            return None
        size = head + int(message.headers.get(hdrs.CONTENT_LENGTH, "0"))
        if size == len(piece) == head + payload.total_bytes and _is_plain(message):
            return Whole(message.path, message.headers, piece[head:])
        return size

    def _fresh(self) -> HttpRequestParser:
        return HttpRequestParser(
            BaseProtocol(self._loop),
            self._loop,
            _MOST_AT_ONCE,
            **{name: SERVER_OPTIONS[name] for name in _LIMITS},
        )


def _is_plain(message: RawRequestMessage) -> bool:
    """Tell whether the request asks for nothing but an answer."""
    headers = message.headers
    return (
        message.version == HttpVersion11
        and hdrs.CONTENT_ENCODING not in headers
        and hdrs.EXPECT not in headers
        and "%" not in message.path
        and "?" not in message.path
        and "#" not in message.path
    )
