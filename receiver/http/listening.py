"""Putting the public listener together from its settings."""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from config.listeners import HttpSettings
from receiver.http.admission import Admission
from receiver.http.connections import Connections
from receiver.http.descriptors import connections_within_limits
from receiver.http.protocol import ConnectionServer
from receiver.http.public import PublicListener
from receiver.http.server import SHUTDOWN, Server
from receiver.observability.alarms import Alarms

SOCKET_BUFFER: Final = 16 * 1024
"""Bytes the system is asked to hold of each connection (Linux takes twice that, for its own needs).

With 10,000 connections that is a few hundred MiB of the system's memory at the very worst, and the
most that can be read before anything can be refused. A body of 256 KiB needs some more round trips.
"""


@dataclass(frozen=True, slots=True)
class Handed:
    """What one of several workers listens on, in place of the addresses of the configuration.

    ``public`` is its own socket on the port that they share, None if it receives nothing; ``admin``
    is the path of a unix socket.
    """

    public: socket.socket | None
    admin: Path


def public_connections(http: HttpSettings, alarms: Alarms) -> Connections:
    """Return the connections of the public listener, none yet."""
    return Connections(
        Admission(http.max_pending, alarms),
        most=http.max_connections,
        head_timeout=http.head_timeout.total_seconds(),
        longest_idle=http.keepalive_timeout.total_seconds(),
    )


def public_server(
    http: HttpSettings,
    listener: PublicListener,
    connections: Connections,
    handed: Handed | None = None,
) -> Server:
    """Return the server of the public listener, with as many connections as the system allows.

    Raises:
        RuntimeError: there is no running loop.
    """
    connections.most = connections_within_limits(http.max_connections)
    server = ConnectionServer(listener, connections)
    runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN)
    given = None if handed is None else handed.public
    return Server(runner, http.host, http.port, socket_buffer=SOCKET_BUFFER, given=given)
