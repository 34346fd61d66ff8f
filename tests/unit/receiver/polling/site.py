"""A provider's real address on this machine, and a caller that asks it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

from handlers.exchange import Conversation, Request, Response
from receiver.http.server import Server
from receiver.observability.alarms import Alarms
from receiver.observability.metrics import Metrics
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
