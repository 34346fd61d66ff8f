"""Calls go where the account says and nowhere else, and nobody is told their secrets."""

import asyncio
import socket
import traceback
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from handlers.exchange import CallFailed, Request

from .site import SECRET, Calls, Site


async def test_redirects_are_not_followed(site: Site, calls: Calls) -> None:
    """A redirect is an answer like any other: it could carry credentials elsewhere."""

    async def elsewhere(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"location": f"{site.base_url}/elsewhere"})

    site.answer = elsewhere
    response = await calls.call(site.base_url, Request("GET", "/things"))
    assert response.status == 302
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    "path",
    [
        "things",
        "",
        "/..",
        "/../secret",
        "/things/../../secret",
        "/things/..",
        "/./things",
        "/things/%2e%2e/secret",
        "/things/..%2fsecret",
        "/things%2f..%2fsecret",
        "/things?admin=1",
        "/things#fragment",
        "/things\\..\\secret",
        "/two words",
        "/things\r\nx-evil: 1",
        "/th%zzngs",
        "@evil.example/",
        ".evil.example/",
        "http://evil.example/",
    ],
)
async def test_a_path_cannot_leave_the_base_url(site: Site, calls: Calls, path: str) -> None:
    """What is no plain path below the base URL is never asked for."""
    with pytest.raises(CallFailed, match="PathRefused"):
        await calls.call(site.base_url, Request("GET", path))
    assert site.asked == []


async def test_cookies_are_not_kept(site: Site, calls: Calls) -> None:
    """What one answer sets is not sent with the next request: accounts share the caller."""

    async def cookie(_: web.Request) -> web.StreamResponse:
        response = web.Response()
        response.set_cookie("session", SECRET)
        return response

    site.answer = cookie
    # A jar would keep those of named hosts alone.
    url = site.base_url.replace("127.0.0.1", "localhost")
    for _ in range(2):
        await calls.call(url, Request("GET", "/"))
    assert "cookie" not in site.asked[1].headers


async def test_the_environment_has_no_say(
    site: Site, calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither a proxy nor a .netrc of whoever started the process is used."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await calls.call(site.base_url, Request("GET", "/things"))
    (asked,) = site.asked
    assert "authorization" not in asked.headers


def closed_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
async def garbled_url() -> AsyncIterator[str]:
    """Serve something that is not HTTP."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"garbage\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("failing", ["refused", "garbled", "slow", "header", "path"])
async def test_secrets_are_in_no_error_and_no_log(
    site: Site, calls: Calls, garbled_url: str, failing: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever fails, and wherever the secret travels, nobody is told it."""
    site.answer = site.hang
    urls = {"refused": f"http://127.0.0.1:{closed_port()}/{SECRET}", "garbled": garbled_url}
    url = urls.get(failing, site.base_url)
    request = Request(
        "GET",
        "/../things" if failing == "path" else "/things",
        query={"auth_token": SECRET},
        headers={"x-user-token": SECRET + ("\r\nx: y" if failing == "header" else "")},
        body=SECRET.encode(),
    )
    caplog.set_level("DEBUG")
    with capture_logs() as logs, pytest.raises(CallFailed) as caught:
        await calls.call(url, request, call_timeout="50ms")
    told = "".join(traceback.format_exception(caught.value))
    # The frames show this test's own source lines, which name the variable but not its value.
    assert SECRET not in told
    assert SECRET not in repr(caught.value)
    assert SECRET not in str(logs)
    assert SECRET not in caplog.text
