"""The public listener: webhooks in, 200 only for what is durable."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

import structlog
from aiohttp import hdrs, web

from handlers.observation import Observation
from receiver.http.answers import acceptance, accepted, in_one_piece
from receiver.http.arrivals import Arrived
from receiver.http.body import announced, at_hand, invite, read_body, too_large
from receiver.http.protocol import Connection
from receiver.http.webhooks import Webhook, Webhooks, known, no_room
from receiver.http.whole import WEBHOOKS, Whole

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_READING: Final = (hdrs.METH_GET, hdrs.METH_HEAD)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a webhook may cost: bytes of its body, and seconds for them to arrive."""

    max_body: int
    body_timeout: float


class PublicListener:
    """Answers ``POST /webhooks/{account}`` and ``GET /livez``.

    A :class:`~receiver.http.protocol.Connection` hands over what came whole, and aiohttp the rest:
    without a router, which two paths do not need, so that every request is known to its connection
    from head to answer.
    """

    def __init__(self, webhooks: Webhooks, limits: Limits) -> None:
        self._webhooks = webhooks
        self._limits = limits
        # What came whole and is not answered yet.
        self._owed: dict[Connection, Webhook] = {}

    def answer(self, arrived: Sequence[Arrived]) -> None:
        """Answer what came whole: once it is durable, or at once if it is refused."""
        webhooks = [(self._arrived(connection, whole), whole.body) for connection, whole in arrived]
        admitted: list[tuple[Webhook, Observation]] = []
        for webhook, body in webhooks:
            try:
                admitted.append((webhook, self._admitted(webhook, body)))
            except Exception as error:  # noqa: BLE001 - what is not expected is answered, too
                self._ended(webhook, error)
        for webhook, observation in admitted:
            try:
                self._webhooks.take(webhook, observation, partial(self._ended, webhook))
            except Exception as error:  # noqa: BLE001 - the same
                self._ended(webhook, error)

    def _arrived(self, connection: Connection, whole: Whole) -> Webhook:
        connection.begin()
        name = whole.path[len(WEBHOOKS) :]
        webhook = self._webhooks.arrived(connection, name, whole.headers)
        self._owed[connection] = webhook
        return webhook

    def _admitted(self, webhook: Webhook, body: bytes) -> Observation:
        known(webhook)
        if len(body) > self._limits.max_body:
            raise too_large(self._limits.max_body, len(body))
        return self._webhooks.admitted(webhook, body)

    def _ended(self, webhook: Webhook, outcome: bool | Exception) -> None:
        connection = webhook.connection
        if self._owed.pop(connection, None) is None:
            connection.reply(b"")
            return
        try:
            refusal = self._webhooks.concluded(webhook, outcome)
        except Exception:
            # As aiohttp answers defects, and says so in the log.
            log.exception("a webhook was not answered", request_id=webhook.request_id)
            broken = web.Response(status=500, text="an internal error\n")
            connection.reply(in_one_piece(broken, close=True), close=True)
        else:
            request_id = webhook.request_id
            connection.reply(acceptance(request_id) if refusal is None else in_one_piece(refusal))

    def give_up(self, connection: Connection) -> None:
        """Count what came whole on ``connection`` as broken off by the end of the service."""
        webhook = self._owed.pop(connection, None)
        if webhook is not None:
            self._webhooks.broke(webhook, asyncio.CancelledError())

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any other request."""
        connection = cast("Connection", request.protocol)
        connection.begin()
        whole = False
        try:
            path = request.rel_url.raw_path
            if path.startswith(WEBHOOKS) and request.method == hdrs.METH_POST:
                response = await self._webhook(request, connection, path[len(WEBHOOKS) :])
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
        webhook = self._webhooks.arrived(connection, name, request.headers)
        try:
            outcome = await self._taken(request, webhook)
        except BaseException as error:  # noqa: BLE001 - what is not expected is raised again
            refusal = self._webhooks.concluded(webhook, error)
        else:
            refusal = self._webhooks.concluded(webhook, outcome)
        if refusal is None:
            return accepted(request, connection, webhook.request_id)
        return refusal

    async def _taken(self, request: web.BaseRequest, webhook: Webhook) -> bool | Exception:
        """Read the webhook and have it made durable; return how that ended.

        Raises:
            web.HTTPException: it is refused.
            TooLarge: it can never be durable.
        """
        most = self._limits.max_body
        known(webhook)
        body = at_hand(request, most)
        if body is None:
            if not webhook.connection.has_room(announced(request, most)):
                raise no_room()
            await invite(request)
            body = await read_body(request, most_bytes=most, seconds=self._limits.body_timeout)
        ended: asyncio.Future[bool | Exception] = asyncio.get_running_loop().create_future()
        self._webhooks.take(webhook, self._webhooks.admitted(webhook, body), partial(_end, ended))
        return await ended


def _end(ended: "asyncio.Future[bool | Exception]", outcome: bool | Exception) -> None:
    # Whoever waited may have been cancelled.
    if not ended.done():
        ended.set_result(outcome)


def _other(path: str, method: str) -> web.Response:
    if path.startswith(WEBHOOKS):
        return _method_not_allowed(hdrs.METH_POST)
    if path != "/livez":
        return web.Response(status=404, text="no such path\n")
    if method not in _READING:
        return _method_not_allowed(*_READING)
    return web.Response(text="alive\n")


def _method_not_allowed(*allowed: str) -> web.Response:
    headers = {hdrs.ALLOW: ", ".join(allowed)}
    return web.Response(status=405, text="method not allowed\n", headers=headers)
