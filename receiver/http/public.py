"""The public listener: webhooks in, 200 only for what is durable."""

import re
from dataclasses import dataclass
from random import Random
from time import perf_counter
from typing import Final, cast
from urllib.parse import unquote

import structlog
from aiohttp import hdrs, web

from handlers.clock import Clock
from handlers.observation import Observation, Origin
from handlers.provider import BadSignature, Handler
from receiver.accounts.registry import Accounts
from receiver.http.accepted import accepted
from receiver.http.body import announced, at_hand, invite, read_body
from receiver.http.headers import Headers
from receiver.http.protocol import Connection
from receiver.http.server import RETRY_AFTER
from receiver.http.undeliverable import OK, Delivery, Undeliverable
from receiver.inbox import TooLarge
from receiver.intake import Intake
from receiver.kafka.appender import NotDurable
from receiver.observability.metrics import Metrics

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_OTHER = "(none)"
_WEBHOOKS: Final = "/webhooks/"
_READING: Final = (hdrs.METH_GET, hdrs.METH_HEAD)
_TRACEPARENT: Final = "traceparent"
_IS_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
"""W3C Trace Context, section 3.2: anything else is not worth carrying along."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a webhook may cost: bytes of its body, and seconds for them to arrive."""

    max_body: int
    body_timeout: float


class PublicListener:
    """Answers ``POST /webhooks/{account}`` and ``GET /livez``.

    It is served by a :class:`~receiver.http.protocol.ConnectionServer` without a router, which
    two paths do not need, so that every request is known to its connection from head to answer.
    """

    def __init__(
        self,
        accounts: Accounts,
        intake: Intake,
        metrics: Metrics,
        clock: Clock,
        limits: Limits,
        undeliverable: Undeliverable,
    ) -> None:
        self._accounts = accounts
        self._intake = intake
        self._metrics = metrics
        self._clock = clock
        self._limits = limits
        self._undeliverable = undeliverable
        self._ids = Random()  # noqa: S311 - they are to be unlike, and nobody minds a guess

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        connection = cast("Connection", request.protocol)
        connection.begin()
        whole = False
        try:
            path = request.rel_url.raw_path
            if path.startswith(_WEBHOOKS) and request.method == hdrs.METH_POST:
                response = await self._webhook(request, connection, path[len(_WEBHOOKS) :])
            else:
                response = _other(path, request.method)
            whole = request.content.is_eof()
            if not whole:
                # What is left of the body is not worth keeping the connection for.
                response.force_close()
            return response
        finally:
            connection.answered(whole=whole)

    async def _webhook(
        self, request: web.BaseRequest, connection: Connection, name: str
    ) -> web.StreamResponse:
        started = perf_counter()
        if "%" in name:
            name = unquote(name)
        handler = self._accounts.get(name)
        delivery = Delivery(f"{self._ids.getrandbits(128):032x}")
        refusal: web.Response | None
        try:
            refusal = await self._receive(request, connection, handler, delivery)
        except web.HTTPException as error:
            refusal = web.Response(status=error.status, text=error.text)
        except BaseException as error:
            if handler is not None:
                headers = Headers(request.headers)
                self._undeliverable.broke(handler, headers, delivery, error)
            raise
        status = OK if refusal is None else refusal.status
        took = perf_counter() - started
        # The label is never what the client chose: a name that is no account must cost nothing.
        self._metrics.answers.count(_OTHER if handler is None else name, status, took)
        gone = connection.transport is None
        late = took > self._undeliverable.answer_within
        if handler is not None and (refusal is not None or late or gone):
            response = web.Response() if refusal is None else refusal
            self._undeliverable.answered(
                handler, Headers(request.headers), delivery, response, took=None if gone else took
            )
        if refusal is None:
            return accepted(request, connection, delivery.request_id)
        refusal.headers["X-Request-Id"] = delivery.request_id
        return refusal

    async def _receive(
        self,
        request: web.BaseRequest,
        connection: Connection,
        handler: Handler | None,
        delivery: Delivery,
    ) -> web.Response | None:
        """Make a webhook durable; return the answer if it is not."""
        if handler is None:
            raise web.HTTPNotFound(text="no such account\n")
        most = self._limits.max_body
        body = at_hand(request, most)
        if body is None:
            if not connection.has_room(announced(request, most)):
                return _come_again("too much is waiting")
            await invite(request)
            body = await read_body(request, most_bytes=most, seconds=self._limits.body_timeout)
        delivery.body = body
        headers = Headers(request.headers)
        received_at = self._clock()
        try:
            topic, signed_with = handler.verify(headers, body, received_at)
        except BadSignature as error:
            _warn("a webhook was refused", handler, delivery, error)
            raise web.HTTPUnauthorized(text="the signature is missing or wrong\n") from None
        if not connection.keep():
            return _come_again("too much is waiting")
        observation = Observation(
            account=handler.account.name,
            origin=Origin.WEBHOOK,
            topic=topic,
            received_at=received_at,
            body=body,
            request_id=delivery.request_id,
            signed_with=signed_with,
            traceparent=_traceparent(headers) if _TRACEPARENT in request.headers else None,
        )
        try:
            by_kafka = await self._intake.accept(handler.inbox_key(topic, body), observation)
        except TooLarge as error:
            raise web.HTTPRequestEntityTooLarge(0, len(body), text=f"{error}\n") from None
        except NotDurable as error:
            _warn("a webhook is not durable", handler, delivery, error)
            return _come_again("not durable")
        if not by_kafka:
            self._metrics.spooled.labels(observation.account).inc()
        return None


def _other(path: str, method: str) -> web.Response:
    if path.startswith(_WEBHOOKS):
        return _method_not_allowed(hdrs.METH_POST)
    if path != "/livez":
        return web.Response(status=404, text="no such path\n")
    if method not in _READING:
        return _method_not_allowed(*_READING)
    return web.Response(text="alive\n")


def _warn(what: str, handler: Handler, delivery: Delivery, why: Exception) -> None:
    account, request_id = handler.account.name, delivery.request_id
    log.warning(what, account=account, request_id=request_id, why=str(why))


def _traceparent(headers: Headers) -> str | None:
    header = headers[_TRACEPARENT]
    return header if _IS_TRACE(header) else None


def _come_again(why: str) -> web.Response:
    return web.Response(status=503, text=f"{why}, send it again\n", headers=RETRY_AFTER)


def _method_not_allowed(*allowed: str) -> web.Response:
    headers = {hdrs.ALLOW: ", ".join(allowed)}
    return web.Response(status=405, text="method not allowed\n", headers=headers)
