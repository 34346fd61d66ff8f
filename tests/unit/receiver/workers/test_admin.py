"""The one admin listener, before workers that are made up but listen on real unix sockets."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientPayloadError, web
from aiohttp.test_utils import TestClient, TestServer

from handlers.jsontext import JsonObject
from receiver.http.auth import guard
from receiver.http.errors import errors_as_json
from receiver.http.server import Server
from receiver.observability.alarms import Alarms
from receiver.workers.admin import WorkersAdmin
from receiver.workers.asking import AdminOf
from receiver.workers.supervisor import Supervisor
from receiver.workers.worker import State
from tests.unit.receiver.workers.fakes import as_it_is

TOKEN = "the token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Site:
    """What one worker listens on, and what it was asked."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number = number
        self.path = folder / f"{number}.sock"
        self.worker = as_it_is(number)
        self.admin = AdminOf(self.worker, self.path, TOKEN)
        self.ready = True
        self.asked: list[str] = []
        self.go_on = asyncio.Event()
        application = web.Application(middlewares=[errors_as_json, guard(TOKEN)])
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/v1/status", self._status)
        application.router.add_get("/v1/drip", self._drip)
        application.router.add_get("/v1/dies", self._die)
        application.router.add_get("/v1/breaks", self._break)
        application.router.add_route("*", "/v1/echo/{rest:.*}", self._echo)
        self.server = Server(application, "", 0, given=self.path)

    async def stop(self) -> None:
        """Listen no more."""
        await self.server.stop()

    async def _readyz(self, _: web.Request) -> web.Response:
        told: JsonObject = {
            "ready": self.ready,
            "state": "ok" if self.ready else "failed",
            "parts": {},
        }
        return web.json_response(told, status=200 if self.ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(text=f"# TYPE asked gauge\nasked {len(self.asked)}\n")

    async def _status(self, _: web.Request) -> web.Response:
        inbox = {"available": True, "problem": ""}
        told = {"started_at": "x", "accounts": [], "shards": [], "inbox": inbox, "alarms": []}
        return web.json_response({**told, "spool": None})

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await self.go_on.wait()
        await response.write(b"last")
        return response

    async def _die(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def _break(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "400"})
        await response.prepare(request)
        await response.write(b"half")
        return await self._die(request)

    async def _echo(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        told = {
            "worker": self.number,
            "method": request.method,
            "target": request.rel_url.raw_path_qs,
            "body": (await request.read()).decode(),
            "headers": {name.lower(): value for name, value in request.headers.items()},
        }
        headers = {"X-Own": "kept", "Connection": "X-Secret, close", "X-Secret": "of the hop"}
        return web.json_response(told, status=418, headers=headers)


@pytest.fixture
async def sites() -> AsyncIterator[list[Site]]:
    """Return two workers that listen."""
    # Not pytest's own folder: the path of a unix socket must be short.
    with tempfile.TemporaryDirectory() as folder:
        both = [Site(number, Path(folder)) for number in range(2)]
        for site in both:
            await site.server.start()
        yield both
        for site in both:
            await site.admin.close()
            await site.stop()


@pytest.fixture
def supervisor(sites: list[Site]) -> Supervisor:
    """Return their supervisor."""
    return Supervisor([site.worker for site in sites])


@pytest.fixture
async def client(
    sites: list[Site],
    supervisor: Supervisor,
    aiohttp_client: Callable[[TestServer], Awaitable["TestClient[Any, Any]"]],
) -> "TestClient[Any, Any]":
    """Return a client of the one listener."""
    alarms = Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    alarms.sound("", "worker-1-down", why="it ended", remedy="look")
    admins = [site.admin for site in sites]
    listener = WorkersAdmin(TOKEN, supervisor, admins, alarms)
    return await aiohttp_client(TestServer(listener.application()))


async def test_a_request_is_passed_on_as_it_is(client: "TestClient[Any, Any]") -> None:
    """Method, path, query, headers and body reach a worker unchanged, but for the connection's."""
    headers = {**BEARER, "X-Mine": "kept", "Connection": "X-Hop", "X-Hop": "dropped"}
    target = "/v1/echo/a%2Fb?account=x%20y&z"
    answer = await client.patch(target, data=b"the body", headers=headers)
    told = await answer.json()
    assert (told["worker"], told["method"], told["body"]) == (0, "PATCH", "the body")
    assert told["target"] == target
    assert told["headers"]["x-mine"] == "kept"
    assert told["headers"]["authorization"] == BEARER["Authorization"]
    assert told["headers"]["host"] == f"{client.host}:{client.port}"
    assert "x-hop" not in told["headers"]


async def test_an_answer_comes_back_as_it_is(client: "TestClient[Any, Any]") -> None:
    """Status, headers and body too."""
    answer = await client.get("/v1/echo/", headers=BEARER)
    assert answer.status == 418
    assert answer.headers["X-Own"] == "kept"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(await answer.read()))
    assert "X-Secret" not in answer.headers
    assert (await client.head("/v1/echo/", headers=BEARER)).status == 418


async def test_an_answer_comes_back_as_it_comes(
    client: "TestClient[Any, Any]", sites: list[Site]
) -> None:
    """What a worker has sent is passed on before it sends the rest."""
    answer = await client.get("/v1/drip", headers=BEARER)
    assert await answer.content.readany() == b"first"
    sites[0].go_on.set()
    assert await answer.content.read() == b"last"


async def test_errors_of_a_worker_are_its_own(client: "TestClient[Any, Any]") -> None:
    """Paths that there are not, and methods that a path has not, are the worker's to refuse."""
    unknown = await client.get("/v1/nothing", headers=BEARER)
    assert (unknown.status, (await unknown.json())["error"]["code"]) == (404, "not-found")
    wrong = await client.post("/readyz", headers=BEARER)
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET,HEAD")


async def test_the_token_is_asked_for_before_anything_is_passed_on(
    client: "TestClient[Any, Any]", sites: list[Site]
) -> None:
    """Whoever has none reaches no worker; health, metrics and the console want none."""
    for path in ("/v1/echo/", "/v1/status", "/console/x"):
        assert (await client.get(path)).status == 401
    assert sites[0].asked == []
    for path in ("/livez", "/readyz", "/metrics"):
        assert (await client.get(path)).status == 200


async def test_the_console_is_shown_whoever_serves(
    client: "TestClient[Any, Any]", sites: list[Site]
) -> None:
    """When no worker does, an operator wants it most."""
    for site in sites:
        await site.stop()
    answer = await client.get("/")
    assert (answer.status, answer.content_type) == (200, "text/html")


async def test_a_worker_that_cannot_be_reached_is_passed_over(
    client: "TestClient[Any, Any]", sites: list[Site]
) -> None:
    """Another one answers, and does not do anything twice."""
    await sites[0].stop()
    answer = await client.post("/v1/echo/", data=b"x", headers=BEARER)
    assert (await answer.json())["worker"] == 1
    assert sites[0].asked == []
    sites[0].worker.state = State.WAITING
    assert (await (await client.get("/v1/echo/", headers=BEARER)).json())["worker"] == 1


async def test_without_a_worker_there_is_no_answer(
    client: "TestClient[Any, Any]", sites: list[Site]
) -> None:
    """503 with words for people, as with everything that is away; the process lives."""
    for site in sites:
        site.worker.state = State.STARTING
    answer = await client.get("/v1/echo/", headers=BEARER)
    assert (answer.status, (await answer.json())["error"]["code"]) == (503, "worker-away")
    assert "Retry-After" in answer.headers
    assert (await client.get("/readyz")).status == 503
    assert (await client.get("/livez")).status == 200


async def test_a_worker_that_dies_over_a_request_is_not_replaced(
    client: "TestClient[Any, Any]", sites: list[Site]
) -> None:
    """Nobody knows how much it did: whoever asked decides whether to ask again."""
    answer = await client.post("/v1/dies", headers=BEARER)
    assert answer.status == 405
    answer = await client.get("/v1/dies", headers=BEARER)
    assert (answer.status, (await answer.json())["error"]["code"]) == (503, "worker-away")
    assert sites[1].asked == []


async def test_half_an_answer_is_not_completed(client: "TestClient[Any, Any]") -> None:
    """Where a worker dies over its answer, nothing else is sent in the place of the rest."""
    answer = await client.get("/v1/breaks", headers=BEARER)
    assert answer.status == 200
    with pytest.raises(ClientPayloadError):
        await answer.read()
    assert answer.content.total_bytes <= len(b"half")


async def test_health_metrics_and_status_are_of_all(
    client: "TestClient[Any, Any]", sites: list[Site], supervisor: Supervisor
) -> None:
    """Each names the workers; a worker that does not answer is told as that."""
    await client.get("/v1/echo/", headers=BEARER)
    sites[1].ready = False
    ready = await client.get("/readyz")
    assert (ready.status, (await ready.json())["state"]) == (200, "degraded")
    metrics = await (await client.get("/metrics")).text()
    assert 'asked{worker="0"} 1.0\nasked{worker="1"} 0.0\n' in metrics
    assert 'payevents_alarm{account="",code="worker-1-down"} 1.0' in metrics
    await sites[1].stop()
    metrics = await (await client.get("/metrics")).text()
    assert 'payevents_worker_up{worker="1"} 0.0' in metrics
    assert 'asked{worker="1"}' not in metrics
    status = await (await client.get("/v1/status", headers=BEARER)).json()
    assert [each["started_at"] for each in status["workers"]] == ["x", None]
    assert [alarm["code"] for alarm in status["alarms"]] == ["worker-1-down"]
    assert status["health"]["parts"]["worker-1"]["why"] == "it does not answer"
    supervisor.draining = True
    assert (await client.get("/readyz")).status == 503
