"""One port for several workers: a socket for each, and the system deals the connections out."""

import socket

from receiver.http.server import family_of


class SharedPort:
    """An address on which each worker has a socket of its own, its share (SO_REUSEPORT).

    A share is bound here and listened on by its worker: only those that listen get connections. It
    goes on listening until each process that has it has closed it, or has ended.

    ``port`` is the one asked for; where that is 0, the one that the first share got.

    Raises:
        OSError: somebody else listens there, or the address is none of this machine's.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._family = family_of(host)
        self.port = port
        if port:
            # Another set of workers of the same user could otherwise join in unnoticed.
            socket.create_server((host, port), family=self._family).close()

    def share(self) -> socket.socket:
        """Return a socket bound to the port, which does not listen yet.

        Raises:
            OSError: it cannot be bound.
        """
        bound = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if self._family == socket.AF_INET6:
                # As the one socket of a single process is.
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.bind((self._host, self.port))
        except BaseException:
            bound.close()
            raise
        self.port = int(bound.getsockname()[1])
        return bound
