"""The TCP ports of test nodes."""

import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple, Self


class Way(NamedTuple):
    """One more listener of a node: it listens on `back`, and tells clients to come to `front`.

    Whoever listens on `front` stands between the node and the clients that came this way.
    """

    front: int
    back: int


class Ports(NamedTuple):
    """The TCP ports of one node on the loopback interface."""

    client: int
    controller: int
    doors: tuple[int, ...] = ()
    ways: tuple[Way, ...] = ()

    @classmethod
    def of(cls, free: Sequence[int], doors: int = 0) -> Self:
        """Return the ports of one node: client, controller, doors, front and back of each way."""
        client, controller, *rest = free
        ways = (Way(*pair) for pair in zip(rest[doors::2], rest[doors + 1 :: 2], strict=True))
        return cls(client, controller, tuple(rest[:doors]), tuple(ways))


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface on which nobody listens.

    They lie below the range from which systems take the source ports of connections. A client
    that tries again and again to reach a killed node could otherwise be given that node's port as
    its own source port, connect to itself, and keep the node from starting again.
    """
    with ExitStack() as probes:
        ports: list[int] = []
        # Drawn from the system: runs beside each other must not try the same ports.
        draw = random.SystemRandom()
        while len(ports) < count:
            probe = probes.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", draw.randrange(10_000, 32_000)))
            except OSError:
                continue
            ports.append(probe.getsockname()[1])
        return ports
