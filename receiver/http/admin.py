"""The admin listener: console, health, metrics, status, watches, dead letters and explain."""

from aiohttp import web

from receiver.console.pages import Console
from receiver.http.auth import OPEN_PATHS, guard
from receiver.http.carrying import carry_through
from receiver.http.dead_letters import DeadLettersApi
from receiver.http.errors import errors_as_json
from receiver.http.exchange import EXPOSITION, answer
from receiver.http.explain import ExplainApi
from receiver.http.watches import WatchesApi
from receiver.observability.health import Health
from receiver.observability.metrics import Metrics
from receiver.observability.status import Status


class AdminListener:
    """Answers the operator's side; see the modules of each API."""

    def __init__(
        self,
        token: str | None,
        health: Health,
        status: Status,
        metrics: Metrics,
        watches: WatchesApi,
        dead_letters: DeadLettersApi,
        explain: ExplainApi,
    ) -> None:
        self._token = token
        self._health = health
        self._status = status
        self._metrics = metrics
        self._watches = watches
        self._dead_letters = dead_letters
        self._explain = explain

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        console = Console()
        guarded = guard(self._token, OPEN_PATHS | console.paths)
        application = web.Application(middlewares=[carry_through(), errors_as_json, guarded])
        router = application.router
        console.add_to(router)
        router.add_get("/livez", _alive)
        router.add_get("/readyz", self._ready)
        router.add_get("/metrics", self._exposition)
        router.add_get("/v1/status", self._show_status)
        self._watches.add_to(router)
        self._dead_letters.add_to(router)
        self._explain.add_to(router)
        return application

    async def _ready(self, _: web.Request) -> web.Response:
        report = self._health.report()
        return answer(report.as_json(), status=200 if report.ready else 503)

    async def _exposition(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": EXPOSITION})

    async def _show_status(self, _: web.Request) -> web.Response:
        return answer(await self._status.as_json())


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")
