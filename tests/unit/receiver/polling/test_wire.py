"""One request on a connection that aiohttp keeps, and whatever the other side does with it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientConnectorCertificateError, ServerDisconnectedError, TCPConnector
from yarl import URL

from handlers.exchange import Request
from receiver.polling import wire as wire_module
from receiver.polling.wire import AnswerBroken, AnswerUnreadable, HeaderRefused, Wire
from tests.support.garbage import calls_in_the_garbage

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = Request("GET", "/things")


class Peer:
    """Answers the requests of each connection in turn, as told; an empty answer hangs up."""

    def __init__(self, *connections: list[bytes]) -> None:
        self.heads: list[str] = []
        self._connections = list(connections)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until there is nothing more to say on this connection."""
        for answer in self._connections.pop(0):
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(answer)
        writer.close()


@asynccontextmanager
async def wired(
    peer: Peer, most: int = 100, certified: ssl.SSLContext | None = None
) -> AsyncIterator[Wire]:
    """Yield a wire to ``peer``, over TLS if it is certified."""
    connector = TCPConnector()
    async with await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=certified) as server:
        scheme = "http" if certified is None else "https"
        base = URL(f"{scheme}://localhost:{server.sockets[0].getsockname()[1]}")
        yield Wire(connector, base, 10.0, most)
        await connector.close()


async def test_a_connection_is_used_again() -> None:
    """Two requests, one connection."""
    peer = Peer([OK, OK])
    async with wired(peer) as wire:
        for _ in range(2):
            head, body = await wire.exchange(GET, "/things")
            assert (head.code, body) == (200, b"ok")
    assert len(peer.heads) == 2


async def test_the_head_is_what_the_request_says() -> None:
    """Nothing is there twice, and a request without a body says no length."""
    peer = Peer([OK, OK])
    async with wired(peer) as wire:
        await wire.exchange(GET, "/things?a=1")
        await wire.exchange(Request("POST", "/things", headers={"accept": "text/csv"}), "/things")
    first, second = (head.lower().splitlines() for head in peer.heads)
    assert first[0] == "get /things?a=1 http/1.1"
    assert {"accept: */*", "user-agent: payevents"} <= set(first)
    assert not any(line.startswith("content-length") for line in first)
    assert [line for line in second if line.startswith(("accept:", "content-length"))] == [
        "accept: text/csv",
        "content-length: 0",
    ]


async def test_a_connection_that_was_closed_meanwhile_is_replaced_once() -> None:
    """A GET goes out again on a new connection; a second failure is one."""
    peer = Peer([b""], [OK], [b""], [b""])
    async with wired(peer) as wire:
        assert (await wire.exchange(GET, "/things"))[1] == b"ok"
        with pytest.raises(ServerDisconnectedError):
            await wire.exchange(GET, "/things")


async def test_what_may_not_be_repeated_is_not() -> None:
    """A POST may have had its effect although no answer came."""
    peer = Peer([b""])
    async with wired(peer) as wire:
        with pytest.raises(ServerDisconnectedError):
            await wire.exchange(Request("POST", "/things", body=b"{}"), "/things")
    assert len(peer.heads) == 1


@pytest.mark.parametrize(
    ("method", "answer", "body"),
    [
        ("GET", b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b""),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        ("GET", b"HTTP/1.1 200 OK\r\n\r\nall until the end", b"all until the end"),
        (
            "GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
            b"ok!",
        ),
    ],
    ids=["interim", "head", "empty", "unbounded", "chunked"],
)
async def test_every_kind_of_answer_is_read_to_its_end(
    method: str, answer: bytes, body: bytes
) -> None:
    """Interim answers are passed over, and each body ends where it does."""
    async with wired(Peer([answer])) as wire:
        assert (await wire.exchange(Request(method, "/things"), "/things"))[1] == body


@pytest.mark.usefixtures("garbage_is_kept")
async def test_an_answer_that_broke_off_does_not_wait_for_the_garbage_collector() -> None:
    """It is as large as it may be, and a provider that is ill sends many of them."""
    async with wired(Peer([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])) as wire:
        with contextlib.suppress(AnswerBroken):
            await wire.exchange(GET, "/things")
    assert calls_in_the_garbage(wire_module.__file__) == []


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding"])
async def test_nobody_else_says_where_a_request_goes_or_ends(name: str) -> None:
    """Two headers of a kind would be one request to one server, and another to the next."""
    peer = Peer([OK])
    async with wired(peer) as wire:
        with pytest.raises(HeaderRefused):
            await wire.exchange(Request("GET", "/things", headers={name: "1"}), "/things")
    assert peer.heads == []


async def test_a_certificate_that_nobody_vouches_for_is_told_nothing() -> None:
    """Not even a request's head goes to whoever shows it."""
    peer = Peer([OK])
    certified = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certified.load_cert_chain(Path(__file__).with_name("untrusted.pem"))
    async with wired(peer, certified=certified) as wire:
        with pytest.raises(ClientConnectorCertificateError):
            await wire.exchange(GET, "/things")
    assert peer.heads == []


async def test_what_is_no_http_is_no_answer() -> None:
    """It is told in words that hold nothing of what came."""
    async with wired(Peer([b"s3cret\r\n\r\n"])) as wire:
        with pytest.raises(AnswerUnreadable) as caught:
            await wire.exchange(GET, "/things")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\x00b"])
async def test_a_header_cannot_become_two(value: str) -> None:
    """It is never sent."""
    peer = Peer()
    async with wired(peer) as wire:
        with pytest.raises(HeaderRefused):
            await wire.exchange(Request("GET", "/things", headers={"x-token": value}), "/things")
    assert peer.heads == []


async def test_a_connection_with_an_answer_under_way_is_never_used_again() -> None:
    """Cancelled, it is closed: the next request must not get the answer to this one."""
    asked, connections = asyncio.Event(), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        if connections == 1:
            asked.set()
            await reader.read()
        else:
            writer.write(OK)
        writer.close()

    peer = Peer()
    peer.serve = serve  # type: ignore[method-assign]  # this one is scripted by hand
    async with wired(peer) as wire:
        first = asyncio.create_task(wire.exchange(GET, "/things"))
        await asked.wait()
        first.cancel()
        await asyncio.wait([first])
        assert (await wire.exchange(GET, "/things"))[1] == b"ok"
    assert connections == 2
