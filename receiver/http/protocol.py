"""HTTP on one connection: aiohttp's protocol, told to :mod:`receiver.http.connections`.

A webhook that comes whole is not given to aiohttp (see :mod:`receiver.http.arrivals`); any other
request is, from its first byte to its last. Who reads what comes next is known only between
requests, and only if each byte is accounted for: otherwise aiohttp reads all that follows.

Only what aiohttp documents or every asyncio protocol has is used: its callbacks, ``close``,
``shutdown``, and ``force_close``, which is how aiohttp's own keep-alive timer closes a connection.
That timer knows nothing of requests that aiohttp does not read, and is set never to end.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, cast

import structlog
from aiohttp import web

from receiver.http.arrivals import Arrivals, Listener
from receiver.http.connections import REFUSED, Connections
from receiver.http.server import SERVER_OPTIONS
from receiver.http.whole import BEGINNING

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_LINGER: Final = 1.0
"""Seconds for which the rest of a request that was refused unread is read and thrown away: closed
at once, its sender might see a reset instead of the answer."""

_NEVER: Final = 10 * 365 * 86_400.0
_READ_BUFFER: Final = 16 * 1024
_WRITE_BUFFER: Final = 0
"""Bytes of answers that may wait here, beyond what the system takes. For whoever lets any wait
nothing more is answered, and is not taken for idle."""


class Connection(web.RequestHandler):
    """One connection.

    ``held`` is how many bytes of its request are charged; ``request_id`` is the id of the webhook
    that aiohttp answers with 200.
    """

    __slots__ = (
        "_arrivals",
        "_busy",
        "_connections",
        "_early",
        "_missing",
        "_replied",
        "_theirs",
        "_transport",
        "at_work",
        "fresh",
        "has_head",
        "held",
        "refused",
        "request_id",
    )

    def __init__(
        self, connections: Connections, server: "ConnectionServer", options: Mapping[str, Any]
    ) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._connections = connections
        self._arrivals = server.arrivals
        # aiohttp is at a request, of which it has still to get so many bytes: None if nobody knows,
        # and less than none where more than the request has come.
        self._theirs = False
        self._missing: int | None = None
        # A request is read or answered without aiohttp, and what comes after it waits.
        self._busy = False
        self._replied: asyncio.Future[None] | None = None
        self._early = b""
        self.held = 0
        self.fresh = True
        self.has_head = False
        self.at_work = False
        self.refused = False
        self.request_id = ""

    @property
    def unread(self) -> bool:
        """Tell whether the peer reads so little that the system takes no more answers for it."""
        return self._transport.get_write_buffer_size() > 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve the connection, or refuse it for want of room."""
        # aiohttp forgets its own reference when it closes, though answers may be left to send.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        if self._connections.open(self):
            super().connection_made(transport)
        else:
            self.cut_off(REFUSED)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give back what the connection held, unless it is still at work."""
        self._connections.lost(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Charge the bytes, then read them or have aiohttp read them."""
        if not data or self.refused:
            super().data_received(data)
            return
        self._connections.received(self, len(data))
        self._read(data)

    def _read(self, data: bytes) -> None:
        if self._busy:
            # Whoever does not wait for an answer may go on when it is given.
            self._early += data
            self._transport.pause_reading()
        elif self._theirs:
            self.hand_over(data, self._missing)
        elif self.transport is None or self.unread or not data.startswith(BEGINNING):
            # It is closed, or no more is to be answered now, or is not: aiohttp sees to each.
            self.hand_over(data, None)
        else:
            self._busy = True
            self._arrivals.begin(self, data)

    def begin(self) -> None:
        """Note that the head of a request is there."""
        self.has_head = True
        self.fresh = False

    def has_room(self, announced: int) -> bool:
        """Tell whether a body of ``announced`` bytes could be kept; that it cannot is counted."""
        return self._connections.has_room(announced)

    def keep(self) -> bool:
        """Take the request on, which is all there and signed; False if it must be refused."""
        return self._connections.keep(self)

    def reply(self, answer: bytes, *, close: bool = False) -> None:
        """Answer the request that came whole; ``close`` ends the connection with that."""
        transport = self.transport
        if transport is not None and not transport.is_closing():
            transport.write(answer)
            if close:
                self.force_close()
        self._connections.answered(self)
        if self._early:
            self._connections.received(self, len(self._early))
        self._go_on()

    def hand_over(self, data: bytes, missing: int | None) -> None:
        """Have aiohttp read ``data``, which begins or continues a request.

        ``missing`` is how many bytes of it aiohttp has not got yet, None if nobody knows.
        """
        self._theirs = True
        self._missing = None if missing is None else missing - len(data)
        try:
            super().data_received(data)
        except Exception:
            # Whoever sent it has met a defect; others that are read in this turn have not.
            log.exception("what came on a connection could not be read")
            self.cut_off()
        if self._busy:
            self._go_on()

    def answered(self, *, whole: bool) -> None:
        """Note aiohttp's answer, and whether all of its request was read; if not, no more is."""
        self.refused = not whole
        self._theirs = not whole or self._missing != 0
        self._connections.answered(self)

    def close(self) -> None:
        """Take no more requests."""
        self._theirs, self._missing = True, None
        super().close()

    # The signature is aiohttp's.
    async def shutdown(self, timeout: float | None = 15.0) -> None:  # noqa: ASYNC109
        """Close the connection once its request is answered, or after so many seconds."""
        if self._busy:
            self._replied = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._replied], timeout=timeout)
            if self._busy:
                self._arrivals.listener.give_up(self)
        await super().shutdown(timeout)

    def cut_off(self, answer: bytes = b"") -> None:
        """Close at once; ``answer`` is sent if the system takes it.

        Closing alone would wait for a peer that reads nothing, for as long as it likes.
        """
        if not self._transport.is_closing():
            self._transport.write(answer)
        self.force_close()
        if self.unread:
            self._transport.abort()
        else:
            self._transport.close()

    def _go_on(self) -> None:
        """Read what came before its time."""
        self._busy = False
        if self._replied is not None and not self._replied.done():
            self._replied.set_result(None)
        early, self._early = self._early, b""
        if early and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
            self._read(early)


class ConnectionServer(web.Server):
    """aiohttp's low-level server, making a :class:`Connection` of each connection.

    Raises:
        RuntimeError: there is no running loop.
    """

    def __init__(self, listener: Listener, connections: Connections) -> None:
        super().__init__(listener.handle)
        self.arrivals = Arrivals(listener)
        self._guarded = connections
        self._options = {
            **SERVER_OPTIONS,
            "keepalive_timeout": _NEVER,
            "lingering_time": _LINGER,
            "read_bufsize": _READ_BUFFER,
        }

    def __call__(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(self._guarded, self, self._options)

    # The signature is aiohttp's.
    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Close all connections, as aiohttp does, but wait for no peer that lets answers wait."""
        self._guarded.close_unread()
        await super().shutdown(timeout)
