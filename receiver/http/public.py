"""The public listener: webhooks in, 200 only for what is durable."""

import re
from dataclasses import dataclass
from time import perf_counter
from uuid import uuid4

import structlog
from aiohttp import web

from handlers.clock import Clock
from handlers.observation import Observation, Origin
from handlers.provider import BadSignature, Handler
from receiver.accounts.registry import Accounts
from receiver.http.body import read_body
from receiver.http.server import RETRY_AFTER
from receiver.inbox import TooLarge
from receiver.intake import Intake
from receiver.kafka.appender import NotDurable
from receiver.observability.metrics import Metrics

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_OTHER = "(none)"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, section 3.2: anything else is not worth carrying along."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a webhook may cost: bytes of its body, and seconds for them to arrive."""

    max_body: int
    body_timeout: float


class PublicListener:
    """Answers ``POST /webhooks/{account}`` and ``GET /livez``."""

    def __init__(
        self, accounts: Accounts, intake: Intake, metrics: Metrics, clock: Clock, limits: Limits
    ) -> None:
        self._accounts = accounts
        self._intake = intake
        self._metrics = metrics
        self._clock = clock
        self._limits = limits

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        application = web.Application()
        application.router.add_post("/webhooks/{account}", self._webhook)
        application.router.add_get("/livez", _alive)
        return application

    async def _webhook(self, request: web.Request) -> web.Response:
        started = perf_counter()
        name = request.match_info["account"]
        handler = self._accounts.get(name)
        request_id = uuid4().hex
        try:
            response = await self._receive(request, handler, request_id)
        except web.HTTPException as refusal:
            response = web.Response(status=refusal.status, text=refusal.text)
            if refusal.status in {408, 413}:
                # What is left of the body is not worth reading.
                response.force_close()
        # The label is never what the client chose: a name that is no account must cost nothing.
        label = _OTHER if handler is None else name
        self._metrics.webhooks.labels(label, str(response.status)).inc()
        self._metrics.webhook_seconds.observe(perf_counter() - started)
        response.headers["X-Request-Id"] = request_id
        return response

    async def _receive(
        self, request: web.Request, handler: Handler | None, request_id: str
    ) -> web.Response:
        if handler is None:
            raise web.HTTPNotFound(text="no such account\n")
        bound = log.bind(account=handler.account.name, request_id=request_id)
        body = await read_body(
            request, most_bytes=self._limits.max_body, seconds=self._limits.body_timeout
        )
        headers = {name.lower(): _printable(value) for name, value in request.headers.items()}
        received_at = self._clock()
        try:
            topic = handler.verify(headers, body, received_at)
        except BadSignature as error:
            bound.warning("a webhook was refused", why=str(error))
            raise web.HTTPUnauthorized(text="the signature is missing or wrong\n") from None
        observation = Observation(
            account=handler.account.name,
            origin=Origin.WEBHOOK,
            topic=topic,
            received_at=received_at,
            body=body,
            request_id=request_id,
            traceparent=_traceparent(headers.get("traceparent", "")),
        )
        key = handler.inbox_key(topic, body)
        try:
            at = await self._intake.accept(key, observation)
        except TooLarge as error:
            raise web.HTTPRequestEntityTooLarge(0, len(body), text=f"{error}\n") from None
        except NotDurable as error:
            bound.warning("a webhook is not durable", why=str(error))
            return web.Response(
                status=503,
                text="not durable, send it again\n",
                headers=RETRY_AFTER,
            )
        if at is None:
            self._metrics.spooled.labels(observation.account).inc()
            bound.info("a webhook was spooled", resource=key)
        else:
            place = {"partition": at.partition, "offset": at.offset}
            bound.info("a webhook was accepted", resource=key, **place)
        return web.Response(text="accepted\n")


def _traceparent(header: str) -> str | None:
    return header if _TRACEPARENT.fullmatch(header) else None


def _printable(value: str) -> str:
    # aiohttp keeps bytes that are no UTF-8 as lone surrogates, which no record could hold.
    return value.encode(errors="replace").decode()


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")
