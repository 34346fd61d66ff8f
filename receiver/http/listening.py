"""Putting the public listener together from its settings."""

from typing import Final

from aiohttp import web

from config.listeners import HttpSettings
from receiver.http.admission import Admission
from receiver.http.connections import Connections
from receiver.http.descriptors import connections_within_limits
from receiver.http.protocol import LINGER, ConnectionServer
from receiver.http.public import PublicListener
from receiver.http.server import SHUTDOWN, Server
from receiver.observability.alarms import Alarms

SOCKET_BUFFER: Final = 16 * 1024
"""Bytes the system is asked to hold of each connection (Linux takes twice that, for its own needs).

With 10,000 connections that is a few hundred MiB of the system's memory at the very worst, and the
most that can be read before anything can be refused. A body of 256 KiB needs some more round trips.
"""


def public_connections(http: HttpSettings, alarms: Alarms) -> Connections:
    """Return the connections of the public listener, none yet."""
    head_timeout = http.head_timeout.total_seconds()
    return Connections(
        Admission(http.max_pending, alarms),
        most=http.max_connections,
        head_timeout=head_timeout,
        longest_idle=http.keepalive_timeout.total_seconds() + head_timeout + LINGER,
    )


def public_server(http: HttpSettings, listener: PublicListener, connections: Connections) -> Server:
    """Return the server of the public listener, with as many connections as the system allows.

    Raises:
        RuntimeError: there is no running loop.
    """
    connections.most = connections_within_limits(http.max_connections)
    server = ConnectionServer(
        listener.handle, connections, keepalive=http.keepalive_timeout.total_seconds()
    )
    runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN)
    return Server(runner, http.host, http.port, socket_buffer=SOCKET_BUFFER)
