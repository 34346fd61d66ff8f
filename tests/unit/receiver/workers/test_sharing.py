"""A port that several workers share."""

import asyncio
import socket

import pytest

from receiver.workers.sharing import SharedPort


def test_all_shares_have_one_port() -> None:
    """Also where the system chooses it."""
    port = SharedPort("127.0.0.1", 0)
    shares = [port.share() for _ in range(4)]
    assert {share.getsockname()[1] for share in shares} == {port.port}
    assert port.port > 0
    for share in shares:
        share.close()


def test_a_port_that_others_listen_on_is_taken() -> None:
    """Even by another set of workers, which the system alone would let join in."""
    first = SharedPort("127.0.0.1", 0)
    with first.share() as theirs:
        theirs.listen()
        with pytest.raises(OSError, match=str(first.port)):
            SharedPort("127.0.0.1", first.port)


async def test_only_those_that_listen_get_connections() -> None:
    """A worker that has not started yet is sent nobody."""
    port = SharedPort("127.0.0.1", 0)
    with port.share() as listening, port.share():
        listening.listen()
        listening.setblocking(False)
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port.port)):
                accepted, _ = await asyncio.get_running_loop().sock_accept(listening)
                accepted.close()


async def test_who_connects_after_a_death_gets_to_the_others() -> None:
    """A share that is closed takes no more connections from those that are open."""
    port = SharedPort("127.0.0.1", 0)
    with port.share() as one, port.share() as other:
        one.listen()
        other.listen()
        one.close()
        other.setblocking(False)
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port.port)):
                accepted, _ = await asyncio.get_running_loop().sock_accept(other)
                accepted.close()


async def test_who_connects_while_nobody_serves_waits_and_is_answered() -> None:
    """A share that is held open goes on listening when the worker's own copy is gone."""
    port = SharedPort("127.0.0.1", 0)
    with port.share() as held:
        workers = socket.socket(fileno=socket.dup(held.fileno()))
        workers.listen()
        workers.close()
        with socket.create_connection(("127.0.0.1", port.port)) as waiting:
            held.setblocking(False)
            accepted, _ = await asyncio.get_running_loop().sock_accept(held)
            with accepted:
                accepted.sendall(b"served")
            assert waiting.recv(16) == b"served"
