"""Whether our own URL answers from here, told in plain words."""

import asyncio
import ssl

import pytest
from aiohttp import ClientConnectorCertificateError, ClientConnectorDNSError, ClientOSError
from aiohttp.client_reqrep import ConnectionKey

from receiver.registration import reach
from receiver.registration.reach import why_unreachable
from tests.kafka.ports import free_ports

KEY = ConnectionKey("pay.example.com", 443, True, True, None, None, None)


def answer(status: str, body: bytes) -> bytes:
    """Return an HTTP answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def told(said: bytes | None) -> str | None:
    """Return what is told of a server that answers this, and None never answers."""
    waiting = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if said is None:
            await waiting.wait()
        else:
            writer.write(said)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    why = await why_unreachable(url)
    waiting.set()
    server.close()
    await server.wait_closed()
    return None if why is None else why.replace(f"GET {url}/livez", "it")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (answer("200 OK", b"alive"), None),
        (answer("404 Not Found", b""), "it was answered 404"),
        (answer("200 OK", b"hello"), "it was answered by something that is no receiver"),
        (b"nonsense\r\n\r\n", "it: the answer cannot be understood"),
        (None, "it: no answer within 0 s"),
    ],
)
async def test_each_answer(
    said: bytes | None, why: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a receiver's own answer is one; whatever else there is, is named."""
    if said is None:
        monkeypatch.setattr(reach, "_SECONDS", 0.2)
    found = await told(said)
    assert found == why or (found and why and found.startswith(why))


async def test_a_port_that_nobody_listens_on() -> None:
    """It is told as people call it, without a word of the library's."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    assert await why_unreachable(url) == f"GET {url}/livez: connection refused"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ClientConnectorDNSError(KEY, OSError(-2, "unknown")), "the name is not known"),
        (
            ClientConnectorCertificateError(KEY, ssl.CertificateError("self-signed")),
            "its certificate is not trusted: ",
        ),
        (ClientOSError(104, "reset"), "the connection was closed without an answer"),
    ],
)
def test_what_cannot_be_had_here(error: Exception, why: str) -> None:
    """Names and certificates are told apart from a server that is down."""
    assert reach._plainly(error).startswith(why)
