"""The one admin listener of several workers: what concerns all of them is merged here.

Everything else is the same whichever worker answers, since it is read from Kafka, or from the
spools of all: it is passed on to one of them.
"""

from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from handlers.clock import Clock, rfc3339, utc_now
from receiver.console.pages import Console
from receiver.http.auth import OPEN_PATHS, guard
from receiver.http.errors import errors_as_json
from receiver.http.exchange import EXPOSITION, answer
from receiver.observability.alarm_metrics import AlarmCollector
from receiver.observability.alarms import Alarms
from receiver.observability.version import own_version
from receiver.workers.asking import AdminOf, ask_all
from receiver.workers.metrics import Merged, own_metrics
from receiver.workers.passing import pass_on
from receiver.workers.readiness import readiness
from receiver.workers.status import combined
from receiver.workers.supervisor import Supervisor


class WorkersAdmin:
    """Answers the operator's side for all workers."""

    def __init__(
        self,
        token: str | None,
        supervisor: Supervisor,
        admins: Sequence[AdminOf],
        alarms: Alarms,
        clock: Clock = utc_now,
    ) -> None:
        self._token = token
        self._supervisor = supervisor
        self._admins = admins
        self._alarms = alarms
        self._started_at = clock()

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        console = Console()
        guarded = guard(self._token, OPEN_PATHS | console.paths)
        application = web.Application(middlewares=[errors_as_json, guarded])
        router = application.router
        console.add_to(router)
        router.add_get("/livez", _alive)
        router.add_get("/readyz", self._ready)
        router.add_get("/metrics", self._exposition)
        router.add_get("/v1/status", self._status)
        router.add_route("*", "/{rest:.*}", self._pass_on)
        return application

    async def _readiness(self) -> tuple[bool, dict[str, object]]:
        answers = await ask_all(self._admins, "/readyz")
        return readiness(answers, draining=self._supervisor.draining)

    async def _ready(self, _: web.Request) -> web.Response:
        ready, report = await self._readiness()
        return answer(report, status=200 if ready else 503)

    async def _exposition(self, _: web.Request) -> web.Response:
        answers = await ask_all(self._admins, "/metrics")
        merged = Merged()
        merged.add(own_metrics((worker, each is not None) for worker, each in answers))
        merged.add(AlarmCollector(self._alarms).collect())
        for worker, each in answers:
            if each is not None and each.status == HTTPStatus.OK:
                merged.add_worker(worker.number, each.body)
        return web.Response(body=merged.exposition(), headers={"Content-Type": EXPOSITION})

    async def _status(self, _request: web.Request) -> web.Response:
        _, health = await self._readiness()
        answers = await ask_all(self._admins, "/v1/status")
        told = {
            worker.number: each.json()
            for worker, each in answers
            if each is not None and each.status == HTTPStatus.OK
        }
        return answer(
            {
                "version": own_version(),
                "started_at": rfc3339(self._started_at),
                "health": health,
                **combined(
                    self._supervisor.workers,
                    told,
                    [alarm.as_json() for alarm in self._alarms.present],
                ),
            }
        )

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        return await pass_on(request, self._admins)


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")
