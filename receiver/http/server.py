"""Serving an application with the limits that a listener on the internet needs."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from config.listeners import AdminSettings

SERVER_OPTIONS: Final[Mapping[str, Any]] = {
    # A signature covers the bytes as sent, and a small gzip body can be a large bomb.
    "auto_decompress": False,
    # Access logs print query strings, where secrets travel.
    "access_log": None,
    "tcp_keepalive": True,
    "max_line_size": 8190,
    "max_field_size": 8190,
    "max_headers": 64,
}
"""Keywords of aiohttp's server. It drops a misspelt one silently: a test looks at each."""


RETRY_AFTER: Final[Mapping[str, str]] = {"Retry-After": "5"}
"""The header of every 503, in seconds: what is away may be back by then."""


BACKLOG: Final = 1024
"""Connections that may wait to be accepted; aiohttp's own default would set less again."""

SHUTDOWN: Final = 10.0
"""Seconds that requests under way have to finish once the listener closes."""


class Server:
    """One listener, from :meth:`start` to :meth:`stop`.

    ``served`` is an application, or a runner of something leaner. ``socket_buffer`` is in bytes:
    what the system holds of each connection, and so the most that one read of it can bring.
    ``given`` is what it listens on instead of an address: a socket that somebody else has bound, or
    the path of a unix socket. With ``drops_abandoned`` an application's work on a request is
    cancelled when the connection that it came by is gone.
    """

    def __init__(
        self,
        served: web.Application | web.BaseRunner,
        host: str,
        port: int,
        *,
        socket_buffer: int | None = None,
        given: socket.socket | Path | None = None,
        drops_abandoned: bool = False,
    ) -> None:
        if isinstance(served, web.Application):
            # aiohttp's own default keeps an idle connection for an hour.
            served = web.AppRunner(
                served,
                keepalive_timeout=15.0,
                shutdown_timeout=SHUTDOWN,
                handler_cancellation=drops_abandoned,
                **SERVER_OPTIONS,
            )
        self.runner = served
        self._host = host
        self._port = port
        self._socket_buffer = socket_buffer
        self._given = given

    async def start(self) -> int:
        """Listen; return the port, which the system chose if 0 was asked for; 0 without any.

        Raises:
            OSError: the address cannot be listened on.
        """
        await self.runner.setup()
        if isinstance(self._given, Path):
            await web.UnixSite(self.runner, self._given, backlog=BACKLOG).start()
            return 0
        bound = self._given or self._bind()
        try:
            if self._socket_buffer is not None:
                # Each connection inherits them.
                for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                    bound.setsockopt(socket.SOL_SOCKET, option, self._socket_buffer)
            await web.SockSite(self.runner, bound, backlog=BACKLOG).start()
        except BaseException:
            bound.close()
            raise
        return int(bound.getsockname()[1])

    async def stop(self) -> None:
        """Take no more connections, finish the requests under way, close."""
        await self.runner.cleanup()

    def _bind(self) -> socket.socket:
        # Bound here, so that port 0 means one port, also where a name has several addresses.
        return socket.create_server(
            (self._host, self._port), family=family_of(self._host), backlog=BACKLOG
        )


def admin_server(
    application: web.Application, admin: AdminSettings, given: socket.socket | Path | None = None
) -> Server:
    """Return the server of the admin listener: nobody who has gone has whole topics read."""
    return Server(application, admin.host, admin.port, given=given, drops_abandoned=True)


def family_of(host: str) -> socket.AddressFamily:
    """Return the family of sockets that an address or a name of this machine needs."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
