"""Calling providers over real HTTP, on this machine."""

import asyncio
import gzip
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from handlers.exchange import CallFailed, Conversation, Request, Response
from receiver.alarms import Alarms
from receiver.http.server import Server
from receiver.metrics import Metrics
from receiver.polling.budget import Budget
from receiver.polling.caller import Caller

from .world import settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOST = 10_000
SECRET = "s3cret"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A provider's real address: keeps what it was asked, and answers as told."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.answer: Answer = _ok
        self.base_url = ""
        self.hung = asyncio.Event()
        self.go_on = asyncio.Event()

    async def start(self) -> Server:
        """Listen on a free port."""
        application = web.Application()
        application.router.add_route("*", "/{_:.*}", self._take)
        server = Server(application, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{await server.start()}/api/v1"
        return server

    async def hang(self, request: web.Request) -> web.StreamResponse:
        """Answer only when told to go on."""
        self.hung.set()
        await self.go_on.wait()
        return await _ok(request)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.read())
        return await self.answer(request)


async def _ok(_: web.Request) -> web.StreamResponse:
    return web.Response(text="{}")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Serve a site."""
    site = Site()
    server = await site.start()
    yield site
    site.go_on.set()
    await server.stop()


class Calls:
    """A caller, and its conversations of one request."""

    def __init__(self, concurrency: int) -> None:
        self.metrics = Metrics(Alarms(lambda: NOW))
        self.caller = Caller(self.metrics, lambda: NOW, max_response=MOST, concurrency=concurrency)
        self.budget = Budget(1_000, 1.0, monotonic=asyncio.get_running_loop().time)

    async def call(self, base_url: str, request: Request, call_timeout: str = "30s") -> Response:
        """Make one request, and return its response."""
        account = settings(base_url=base_url, call_timeout=call_timeout)
        return await self.caller.converse(account, _once(request), self.budget)

    def counted(self, result: str) -> float:
        """Return how many calls had this result."""
        labels = {"account": "a", "result": result}
        return self.metrics.registry.get_sample_value("payevents_provider_calls_total", labels) or 0


def _once(request: Request) -> Conversation[Response]:
    return (yield request)


@pytest.fixture
async def calls() -> AsyncIterator[Calls]:
    """Start a caller with two slots."""
    calls = Calls(concurrency=2)
    await calls.caller.start()
    yield calls
    await calls.caller.close()


async def test_a_request_arrives_as_it_was_written(site: Site, calls: Calls) -> None:
    """Method, path below the base URL, headers and body are those of the request."""
    request = Request.json("POST", "/things/a%2Fb", {"n": 1}, {"x-user-token": SECRET})
    response = await calls.call(site.base_url, request)
    (asked,) = site.asked
    assert (asked.method, asked.rel_url.raw_path) == ("POST", "/api/v1/things/a%2Fb")
    assert asked.headers["X-User-Token"] == SECRET
    assert asked.headers["Content-Type"] == "application/json"
    assert site.bodies == [b'{"n":1}']
    assert (response.status, response.body, response.received_at) == (200, b"{}", NOW)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert calls.counted("200") == 1


@pytest.mark.parametrize(
    "value", ["plain", "a b", "a+b", "a&b=c", "100%", "%2F", "ü€😀", "#?/;:@", "", '"quoted"', "\\"]
)
async def test_a_query_arrives_exactly(site: Site, calls: Calls, value: str) -> None:
    """Whatever a name or a value holds, the other side reads the same."""
    query = {"q": value, f"name {value}": "1"}
    await calls.call(site.base_url, Request("GET", "/things", query))
    (asked,) = site.asked
    assert dict(parse_qsl(asked.rel_url.raw_query_string, keep_blank_values=True)) == query
    assert dict(asked.query) == query
    assert asked.rel_url.raw_path == "/api/v1/things"


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


@pytest.mark.parametrize(
    "path", ["/", "/things", "/things/7.json", "/a/b/c", "//x", "/..x/x..", "/%C3%BC"]
)
async def test_a_path_below_the_base_url_is_asked_for(site: Site, calls: Calls, path: str) -> None:
    """Plain paths arrive under the base URL's own path, on the same host."""
    await calls.call(site.base_url, Request("GET", path))
    assert [asked.rel_url.raw_path for asked in site.asked] == [f"/api/v1{path}"]


async def test_an_answer_may_be_as_large_as_allowed_and_no_larger(site: Site, calls: Calls) -> None:
    """One byte beyond the limit is no answer."""

    async def large(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * size)

    site.answer, size = large, MOST
    assert len((await calls.call(site.base_url, Request("GET", "/"))).body) == MOST
    size = MOST + 1
    with pytest.raises(CallFailed, match="AnswerTooLarge"):
        await calls.call(site.base_url, Request("GET", "/"))
    assert calls.counted("AnswerTooLarge") == 1


async def test_a_small_answer_that_unpacks_to_a_large_one_is_too_large(
    site: Site, calls: Calls
) -> None:
    """The limit counts what was compressed, too."""

    async def bomb(_: web.Request) -> web.StreamResponse:
        packed = gzip.compress(b"\x00" * 5_000_000)
        return web.Response(body=packed, headers={"content-encoding": "gzip"})

    site.answer = bomb
    with pytest.raises(CallFailed):
        await calls.call(site.base_url, Request("GET", "/"))


async def test_a_call_that_takes_too_long_fails(site: Site, calls: Calls) -> None:
    """The whole call is bounded by the account's call_timeout."""
    site.answer = site.hang
    with pytest.raises(CallFailed, match=r"GET /things: .*Timeout"):
        await calls.call(site.base_url, Request("GET", "/things"), call_timeout="50ms")


async def test_a_body_that_drips_fails_too(site: Site, calls: Calls) -> None:
    """A head in time does not make an answer in time."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "100"})
        await response.prepare(request)
        await response.write(b"x")
        return await site.hang(request)

    site.answer = drip
    with pytest.raises(CallFailed, match="Timeout"):
        await calls.call(site.base_url, Request("GET", "/"), call_timeout="50ms")


async def test_a_connection_that_breaks_is_a_failed_call(site: Site, calls: Calls) -> None:
    """An answer cut short is none."""

    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    site.answer = cut
    with pytest.raises(CallFailed):
        await calls.call(site.base_url, Request("GET", "/"))


async def test_cookies_are_not_kept(site: Site, calls: Calls) -> None:
    """What one answer sets is not sent with the next request: accounts share the caller."""

    async def cookie(_: web.Request) -> web.StreamResponse:
        response = web.Response()
        response.set_cookie("session", SECRET)
        return response

    site.answer = cookie
    for _ in range(2):
        await calls.call(site.base_url, Request("GET", "/"))
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


@pytest.mark.parametrize("failing", ["refused", "slow", "header", "path"])
async def test_secrets_are_in_no_error_and_no_log(
    site: Site, calls: Calls, failing: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever fails, and wherever the secret travels, nobody is told it."""
    site.answer = site.hang
    url = f"http://127.0.0.1:{closed_port()}/{SECRET}" if failing == "refused" else site.base_url
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


async def test_a_conversation_hears_of_a_failed_call_and_may_go_on(
    site: Site, calls: Calls
) -> None:
    """A failed call is thrown into the conversation, which may ask something else."""

    def conversation() -> Conversation[tuple[str, int]]:
        try:
            yield Request("GET", "no path")
        except CallFailed as error:
            response = yield Request("GET", "/things")
            return str(error), response.status
        raise AssertionError("the call did not fail")

    account = settings(base_url=site.base_url)
    told, status = await calls.caller.converse(account, conversation(), calls.budget)
    assert (told, status) == ("GET no path: PathRefused", 200)


async def test_a_conversation_that_is_given_up_is_closed(site: Site, calls: Calls) -> None:
    """Cancelling a visit ends its conversation, in order."""
    closed = []

    def conversation() -> Conversation[None]:
        try:
            yield Request("GET", "/things")
        finally:
            closed.append(True)

    site.answer = site.hang
    account = settings(base_url=site.base_url)
    task = asyncio.create_task(calls.caller.converse(account, conversation(), calls.budget))
    await site.hung.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed == [True]


async def test_each_call_of_a_conversation_is_paid_for(site: Site, calls: Calls) -> None:
    """Signing in and paging count: the budget is one of calls, not of visits."""
    pauses: list[float] = []

    async def note(seconds: float) -> None:
        pauses.append(seconds)

    def conversation() -> Conversation[None]:
        for _ in range(5):
            yield Request("GET", "/things")

    budget = Budget(3, 60.0, monotonic=lambda: 0.0, sleep=note)
    await calls.caller.converse(settings(base_url=site.base_url), conversation(), budget)
    assert (len(site.asked), pauses) == (5, [60.0, 60.0])


async def test_a_host_that_hangs_leaves_room_for_others(site: Site, calls: Calls) -> None:
    """One host gets half of the slots: the accounts of another one are served meanwhile."""
    other = Site()
    server = await other.start()
    site.answer = site.hang
    hanging = [
        asyncio.create_task(calls.call(site.base_url, Request("GET", "/"))) for _ in range(3)
    ]
    await site.hung.wait()
    for _ in range(3):
        assert (await calls.call(other.base_url, Request("GET", "/"))).status == 200
    assert len(site.asked) == 1
    site.go_on.set()
    assert [response.status for response in await asyncio.gather(*hanging)] == [200] * 3
    await server.stop()
