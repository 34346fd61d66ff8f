"""HTTP on one connection: aiohttp's protocol, told to :mod:`receiver.http.connections`.

Only what aiohttp documents or every asyncio protocol has is used: its three callbacks, and
``force_close``, which is how aiohttp's own keep-alive timer closes an idle connection.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

from aiohttp import web

from receiver.http.connections import REFUSED, Connections
from receiver.http.server import SERVER_OPTIONS

LINGER: Final = 1.0
"""Seconds for which the rest of a request that was refused unread is read and thrown away: closed
at once, its sender might see a reset instead of the answer."""

_READ_BUFFER: Final = 16 * 1024
_WRITE_BUFFER: Final = 0
"""Bytes of answers that may wait here, beyond what the system takes. For whoever lets any wait
nothing more is answered, and aiohttp does not take their connection for idle."""


class Connection(web.RequestHandler):
    """One connection.

    ``held`` is how many bytes of its request are charged; ``request_id`` is the id of the webhook
    that is being answered with 200.
    """

    __slots__ = (
        "_connections",
        "_transport",
        "at_work",
        "fresh",
        "has_head",
        "held",
        "refused",
        "request_id",
    )

    def __init__(
        self, connections: Connections, server: web.Server, options: Mapping[str, Any]
    ) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._connections = connections
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
        """Charge the bytes, then parse them."""
        if data and not self.refused:
            self._connections.received(self, len(data))
        super().data_received(data)

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

    def answered(self, *, whole: bool) -> None:
        """Note the answer, and whether the whole request was read; if not, the rest is not."""
        self.refused = not whole
        self._connections.answered(self)

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


class ConnectionServer(web.Server):
    """aiohttp's low-level server, making a :class:`Connection` of each connection.

    Raises:
        RuntimeError: there is no running loop.
    """

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        connections: Connections,
        *,
        keepalive: float,
    ) -> None:
        super().__init__(handler)
        self._guarded = connections
        self._options = {
            **SERVER_OPTIONS,
            "keepalive_timeout": keepalive,
            "lingering_time": LINGER,
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
