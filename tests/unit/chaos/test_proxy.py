"""The links of the chaos run: a network that can be cut, slowed down and reset."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.chaos.proxy import Link
from tests.kafka.ports import free_ports

WITHIN = 10.0


class Echo:
    """A server that answers everything with itself, and notes what reached it."""

    def __init__(self) -> None:
        self.received = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the other side is gone."""
        try:
            while data := await reader.read(100):
                self.received += data
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[tuple[Echo, int]]:
    """Return an echo and its port."""
    one = Echo()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    yield one, server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
async def link(echo: tuple[Echo, int]) -> AsyncIterator[tuple[Link, int]]:
    """Return a link to the echo, and the port that it is reached at."""
    [front] = free_ports(1)
    async with Link(front, echo[1]) as one:
        yield one, front


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, and see that the way is open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"hello")
    async with asyncio.timeout(WITHIN):
        assert await reader.readexactly(5) == b"hello"
    return reader, writer


async def test_a_cut_link_is_a_black_hole_and_delivers_late(
    link: tuple[Link, int], echo: tuple[Echo, int]
) -> None:
    """What is sent into a cut gets no answer and no error, and arrives when it is mended."""
    reader, writer = await connect(link[1])
    link[0].cut()
    writer.write(b"late!")
    await writer.drain()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await reader.readexactly(5)
    assert echo[0].received == b"hello"
    link[0].mend()
    async with asyncio.timeout(WITHIN):
        assert await reader.readexactly(5) == b"late!"
    writer.close()


async def test_who_connects_into_a_cut_waits(link: tuple[Link, int]) -> None:
    """A connection made while the link is cut is taken, and served when it is mended."""
    link[0].cut()
    connecting = asyncio.create_task(connect(link[1]))
    done, _ = await asyncio.wait([connecting], timeout=0.2)
    assert not done
    link[0].mend()
    _, writer = await connecting
    writer.close()


async def test_a_reset_breaks_every_connection(link: tuple[Link, int]) -> None:
    """A reset is an error at once, and the next connection is whole."""
    reader, _writer = await connect(link[1])
    link[0].reset()
    with pytest.raises(ConnectionResetError):
        async with asyncio.timeout(WITHIN):
            await reader.read()
    _, writer = await connect(link[1])
    writer.close()


async def test_a_slow_link_delivers_late(link: tuple[Link, int]) -> None:
    """Each way takes the delay at least."""
    reader, writer = await connect(link[1])
    link[0].delay = 0.2
    now = asyncio.get_running_loop().time
    began = now()
    writer.write(b"slow!")
    async with asyncio.timeout(WITHIN):
        assert await reader.readexactly(5) == b"slow!"
    assert now() - began >= 0.4
    writer.close()


async def test_a_link_to_nobody_ends_each_connection() -> None:
    """A connection to a broker that is dead ends, with a reset or without, instead of hanging."""
    front, nobody = free_ports(2)
    async with Link(front, nobody):
        reader, writer = await asyncio.open_connection("127.0.0.1", front)
        async with asyncio.timeout(WITHIN):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()
