"""Serving an application with the limits that a listener on the internet needs."""

import socket
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

SERVER_OPTIONS: Final[Mapping[str, Any]] = {
    # A signature covers the bytes as sent, and a small gzip body can be a large bomb.
    "auto_decompress": False,
    # Access logs print query strings, where secrets travel.
    "access_log": None,
    "tcp_keepalive": True,
    "max_line_size": 8190,
    "max_field_size": 8190,
}
"""Keywords of aiohttp's server. It drops a misspelt one silently: a test looks at each."""


RETRY_AFTER: Final[Mapping[str, str]] = {"Retry-After": "5"}
"""The header of every 503, in seconds: what is away may be back by then."""


class Server:
    """One listener, from :meth:`start` to :meth:`stop`."""

    def __init__(
        self, application: web.Application, host: str, port: int, *, keepalive: float = 15.0
    ) -> None:
        # aiohttp's own default keeps an idle connection for an hour.
        self.runner = web.AppRunner(
            application, keepalive_timeout=keepalive, shutdown_timeout=10.0, **SERVER_OPTIONS
        )
        self._host = host
        self._port = port

    async def start(self) -> int:
        """Listen; return the port, which the system chose if 0 was asked for.

        Raises:
            OSError: the address cannot be listened on.
        """
        await self.runner.setup()
        # The socket is bound here so that port 0 means one port, also with several addresses.
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        bound = socket.create_server((self._host, self._port), family=family, backlog=1024)
        try:
            await web.SockSite(self.runner, bound).start()
        except BaseException:
            bound.close()
            raise
        return int(bound.getsockname()[1])

    async def stop(self) -> None:
        """Take no more connections, finish the requests under way, close."""
        await self.runner.cleanup()
