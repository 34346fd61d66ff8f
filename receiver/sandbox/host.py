"""A sandbox at a real address: its API, what it sends, and what a person can cause there."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Self

import structlog
from aiohttp import ClientSession, DummyCookieJar, web

from handlers.clock import Clock, utc_now
from handlers.exchange import Request
from handlers.jsontext import Json, Unreadable, compact
from handlers.sandbox import Callback, Sandbox
from receiver.http.server import Server
from receiver.sandbox.controls import ControlRefused, UnknownControl, described, run_control
from receiver.sandbox.deliveries import Deliveries

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

CONTROLS_PATH = "/_sandbox"
"""Where the controls are, beside the provider's API at the root."""

_USAGE = f"GET {CONTROLS_PATH} shows what can be caused; POST {CONTROLS_PATH}/<control> causes it\n"


class SandboxHost:
    """Serves a sandbox from ``async with`` to its end.

    ``requests`` counts what the API was asked, as ``"GET /path"``; ``base_url`` is known once it
    is served. ``patience`` is how many seconds a notification may take that does not say.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        clock: Clock = utc_now,
        host: str = "127.0.0.1",
        port: int = 0,
        patience: float = 10.0,
    ) -> None:
        self.sandbox = sandbox
        self.requests: Counter[str] = Counter()
        self.base_url = ""
        self._clock = clock
        self._host = host
        self._port = port
        self._patience = patience
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Listen and deliver.

        Raises:
            OSError: the address cannot be listened on.
        """
        async with AsyncExitStack() as opened:
            client = await opened.enter_async_context(
                ClientSession(trust_env=False, cookie_jar=DummyCookieJar())
            )
            deliveries = Deliveries(self.sandbox, self._clock, client, self._patience)
            server = Server(self._application(deliveries), self._host, self._port)
            opened.push_async_callback(server.stop)
            port = await server.start()
            opened.push_async_callback(_end, asyncio.create_task(deliveries.run()))
            self._open = opened.pop_all()
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.base_url = f"http://{shown}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop delivering, finish the requests under way, close."""
        await self._open.aclose()

    async def control(self, name: str, **arguments: str) -> Json:
        """Cause something, as a POST to its control does, and return what it shows.

        Raises:
            UnknownControl: there is none of that name.
            ControlRefused: it has no such argument, or cannot do what is asked.
        """
        return run_control(self.sandbox.controls, name, arguments, self._clock())

    def _application(self, deliveries: Deliveries) -> web.Application:
        async def api(request: web.Request) -> web.Response:
            return await self._answer(request, deliveries)

        application = web.Application()
        router = application.router
        router.add_get(CONTROLS_PATH, self._show)
        router.add_post(f"{CONTROLS_PATH}/{{control}}", self._run)
        router.add_route("*", f"{CONTROLS_PATH}{{_:(/.*)?}}", _explain)
        router.add_route("*", "/{_:.*}", api)
        return application

    async def _answer(self, request: web.Request, deliveries: Deliveries) -> web.Response:
        asked = await _to_request(request)
        self.requests[f"{asked.method} {asked.path}"] += 1
        response = self.sandbox.handle(asked, self._clock())
        while isinstance(response, Callback):
            response = response.resume(await deliveries.deliver(response.notification))
        log.info("answered", method=asked.method, path=asked.path, status=response.status)
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    async def _show(self, _: web.Request) -> web.Response:
        requests: dict[str, Json] = dict(self.requests.most_common())
        return _json(200, {"controls": described(self.sandbox.controls), "requests": requests})

    async def _run(self, request: web.Request) -> web.Response:
        asked = await _to_request(request)
        try:
            arguments = {**asked.query, **asked.parameters()}
            shown = await self.control(request.match_info["control"], **arguments)
        except UnknownControl as error:
            return _json(404, {"error": str(error)})
        except (ControlRefused, Unreadable, UnicodeDecodeError) as error:
            return _json(400, {"error": str(error)})
        return _json(200, shown)


async def _to_request(request: web.Request) -> Request:
    return Request(
        method=request.method,
        # As it was sent: the sandbox's paths are those that handlers write.
        path=request.rel_url.raw_path,
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
    )


async def _explain(_: web.Request) -> web.Response:
    return web.Response(status=405, text=_USAGE)


def _json(status: int, value: Json) -> web.Response:
    return web.Response(status=status, body=compact(value) + b"\n", content_type="application/json")


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        # It never ends by itself: this raises what a defect of the sandbox made of it.
        task.result()
