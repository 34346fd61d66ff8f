"""Senders that read nothing: whatever they ask, a connection that is closed is gone at once."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from receiver.http.admission import Refusal
from receiver.http.protocol import Connection
from tests.unit.receiver.http.load import LONGEST_IDLE, Load, listening, webhook

REQUEST = b"GET /livez HTTP/1.1\r\nHost: pay\r\n\r\n"
MOST = 4

# What a transport does with bytes that its socket does not take is each loop's own affair.
on_each_loop = pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
Run = Callable[[Coroutine[Any, Any, None]], None]


def sockets_on(port: int) -> int:
    """Return how many descriptors of this process are sockets of that port, asked of the system."""
    found = 0
    for descriptor in Path("/dev/fd").iterdir():
        if descriptor.is_socket():
            with socket.socket(fileno=os.dup(int(descriptor.name))) as each:
                found += each.family == socket.AF_INET and each.getsockname()[1] == port
    return found


class Deaf:
    """Clients with hardly any room for answers, who read none; as many as were asked for."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._sockets: list[socket.socket] = []
        self._tasks = len(asyncio.all_tasks())

    @property
    def listeners_sockets(self) -> int:
        """Return how many descriptors the listener has for connections."""
        return sockets_on(self._load.port) - 1

    @property
    def listeners_tasks(self) -> int:
        """Return how many tasks serve them."""
        return len(asyncio.all_tasks()) - self._tasks

    @property
    def stuck(self) -> list[Connection]:
        """Return the connections whose peer takes nothing any more."""
        return [each for each in self._load.connections._open if each.unread]

    async def connect(self) -> socket.socket:
        """Return a new client's socket."""
        client = socket.socket()
        self._sockets.append(client)
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self._load.port))
        return client

    async def flood(self, count: int, request: bytes = REQUEST) -> None:
        """Have so many new clients ask for more answers than all buffers hold."""
        for _ in range(count):
            client = await self.connect()
            await asyncio.get_running_loop().sock_sendall(client, request * 500)

    def close(self) -> None:
        """Close them all."""
        for client in self._sockets:
            client.close()


@asynccontextmanager
async def deaf_clients() -> AsyncIterator[tuple[Load, Deaf]]:
    """Yield a listener for :data:`MOST` connections, and clients of it."""
    async with listening(most=MOST) as load:
        deaf = Deaf(load)
        try:
            yield load, deaf
        finally:
            deaf.close()


@on_each_loop
def test_waves_of_senders_that_read_nothing_use_up_no_descriptors(run: Run) -> None:
    """Each is closed for the next, its socket and its tasks too, and the count says so."""

    async def waves() -> None:
        async with deaf_clients() as (load, deaf):
            for wave in range(3):
                await deaf.flood(MOST)
                closed = wave * MOST
                await load.until(
                    lambda closed=closed: (  # type: ignore[misc]
                        load.admission.refused[Refusal.IDLE] == closed and len(deaf.stuck) == MOST
                    )
                )
                await load.until(lambda: deaf.listeners_sockets == MOST)
                assert len(load.connections) == MOST

    run(waves())


@on_each_loop
@pytest.mark.parametrize("request_", [REQUEST, webhook(2)], ids=["livez", "webhook"])
def test_one_answer_at_most_waits_for_its_reader(run: Run, request_: bytes) -> None:
    """Beyond what the system takes, nothing more is answered, so memory has a bound too."""

    async def unread() -> None:
        async with deaf_clients() as (load, deaf):
            load.intake.go.set()
            # Requests that are not read, since no more answers are made, wait here.
            flood = asyncio.create_task(deaf.flood(1, request_))
            await load.until(lambda: len(deaf.stuck) == 1)
            transport = deaf.stuck[0].transport
            assert transport is not None
            assert 0 < transport.get_write_buffer_size() < 1000
            flood.cancel()

    run(unread())


@on_each_loop
def test_who_reads_nothing_and_asks_one_by_one_is_told_no_more_either(run: Run) -> None:
    """Webhooks that come whole are answered no longer than others."""

    async def unread() -> None:
        async with deaf_clients() as (load, deaf):
            load.intake.go.set()
            client = await deaf.connect()
            while not deaf.stuck:
                taken = len(load.intake.taken)
                client.send(webhook(2))
                await load.until(lambda taken=taken: len(load.intake.taken) > taken)  # type: ignore[misc]
                await load.until(lambda: load.pending == 0)
            for _ in range(20):
                client.send(webhook(2))
                await asyncio.sleep(0.01)
            transport = deaf.stuck[0].transport
            assert transport is not None
            assert 0 < transport.get_write_buffer_size() < 1000

    run(unread())


@on_each_loop
def test_an_answer_that_is_not_read_is_not_waited_for(run: Run) -> None:
    """With nobody else waiting for room, too, a connection on which nothing moves is closed."""

    async def silence() -> None:
        async with deaf_clients() as (load, deaf):
            await deaf.flood(MOST)
            await load.until(lambda: len(deaf.stuck) == MOST)
            load.clock[0] += LONGEST_IDLE
            load.connections.look()
            assert len(load.connections) == MOST, "their sockets are still open"
            await load.until(lambda: (deaf.listeners_sockets, deaf.listeners_tasks) == (0, 0))
            assert len(load.connections) == 0

    run(silence())


@on_each_loop
def test_a_listener_that_stops_does_not_wait_for_readers(run: Run) -> None:
    """It closes their connections at once: aiohttp would wait twice, and leave them open."""

    async def stopped() -> None:
        async with listening(most=MOST) as load:
            deaf = Deaf(load)
            await deaf.flood(MOST)
            await load.until(lambda: len(deaf.stuck) == MOST)
        try:
            await load.until(lambda: sockets_on(load.port) == 0)
        finally:
            deaf.close()

    run(stopped())


@on_each_loop
def test_a_connection_that_the_loop_closes_is_not_waited_for_either(run: Run) -> None:
    """A sender that ends its side has its connection closed, but what is unread held it open."""

    async def half_closed() -> None:
        async with deaf_clients() as (load, deaf):
            client = await deaf.connect()
            while not deaf.stuck:
                # Few at a time: the end is seen only while there is room for more requests.
                load.clock[0] += 1
                client.send(REQUEST * 4)
                asked_at = load.clock[0]
                await load.until(
                    lambda at=asked_at: (  # type: ignore[misc]
                        bool(deaf.stuck) or at in load.connections._idle.values()
                    )
                )
            client.shutdown(socket.SHUT_WR)
            (connection,) = deaf.stuck
            transport = connection.transport
            assert transport is not None
            await load.until(transport.is_closing)
            assert (deaf.listeners_sockets, len(load.connections)) == (1, 1)
            load.clock[0] += LONGEST_IDLE
            load.connections.look()
            await load.until(lambda: (deaf.listeners_sockets, deaf.listeners_tasks) == (0, 0))

    run(half_closed())
