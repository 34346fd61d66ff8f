"""Webhooks, from their bodies to what they are answered, however they were read."""

import re
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import structlog
from aiohttp import web
from multidict import CIMultiDictProxy

from handlers.clock import Clock
from handlers.observation import Observation, Origin
from handlers.provider import BadSignature, Handler
from receiver.accounts.registry import Accounts
from receiver.http.headers import Headers
from receiver.http.server import RETRY_AFTER
from receiver.http.undeliverable import OK, Delivery, Undeliverable
from receiver.inbox import TooLarge
from receiver.intake import Ended, Intake
from receiver.kafka.appender import NotDurable
from receiver.observability.metrics import Metrics

if TYPE_CHECKING:
    from receiver.http.protocol import Connection

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_OTHER: Final = "(none)"
_TRACEPARENT: Final = "traceparent"
_IS_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
"""W3C Trace Context, section 3.2: anything else is not worth carrying along."""


class Webhook(Delivery, kw_only=True):
    """One that is owed an answer.

    ``name`` is what its path calls its account, ``handler`` None if there is no such account;
    ``started`` is by :func:`time.perf_counter`.
    """

    connection: "Connection"
    name: str
    handler: Handler | None
    headers: Headers
    started: float


class Webhooks:
    """Takes webhooks, and knows what each is to be answered."""

    def __init__(
        self,
        accounts: Accounts,
        intake: Intake,
        metrics: Metrics,
        clock: Clock,
        undeliverable: Undeliverable,
    ) -> None:
        self._accounts = accounts
        self._intake = intake
        self._metrics = metrics
        self._clock = clock
        self._undeliverable = undeliverable
        self._ids = Random()  # noqa: S311 - they are to be unlike, and nobody minds a guess

    def arrived(
        self, connection: "Connection", name: str, headers: CIMultiDictProxy[str]
    ) -> Webhook:
        """Return the webhook of which the head has arrived."""
        if "%" in name:
            name = unquote(name)
        return Webhook(
            f"{self._ids.getrandbits(128):032x}",
            connection=connection,
            name=name,
            handler=self._accounts.get(name),
            headers=Headers(headers),
            started=perf_counter(),
        )

    def admitted(self, webhook: Webhook, body: bytes) -> Observation:
        """Return what the webhook tells, with whose bytes its connection is at work from now on.

        Raises:
            web.HTTPException: it is refused.
        """
        handler, headers = known(webhook), webhook.headers
        webhook.body = body
        received_at = self._clock()
        try:
            topic, signed_with = handler.verify(headers, body, received_at)
        except BadSignature as error:
            _warn("a webhook was refused", handler, webhook, error)
            raise web.HTTPUnauthorized(text="the signature is missing or wrong\n") from None
        if not webhook.connection.keep():
            raise no_room()
        return Observation(
            account=handler.account.name,
            origin=Origin.WEBHOOK,
            topic=topic,
            received_at=received_at,
            body=body,
            request_id=webhook.request_id,
            signed_with=signed_with,
            traceparent=_traceparent(headers),
        )

    def take(self, webhook: Webhook, observation: Observation, ended: Ended) -> None:
        """Begin to make an admitted webhook durable, of which ``ended`` is told by the intake.

        Raises:
            TooLarge: it can never be.
        """
        key = known(webhook).inbox_key(observation.topic, observation.body)
        self._intake.take(key, observation, ended)

    def concluded(self, webhook: Webhook, outcome: bool | BaseException) -> web.Response | None:
        """Count the webhook; return what it is answered, None for 200.

        ``outcome`` is what kept it from being taken, or what the intake told in the end.

        Raises:
            BaseException: ``outcome``, if nobody expects it.
        """
        handler = webhook.handler
        refusal = None
        if isinstance(outcome, BaseException):
            refusal = _refusal(outcome, webhook)
            if refusal is None:
                self.broke(webhook, outcome)
                try:
                    raise outcome
                finally:
                    # Its traceback knows this frame, which must not know it.
                    del outcome
        elif not outcome:
            self._metrics.spooled.labels(webhook.name).inc()
        status = OK if refusal is None else refusal.status
        took = perf_counter() - webhook.started
        # The label is never what the client chose: a name that is no account must cost nothing.
        self._metrics.answers.count(_OTHER if handler is None else webhook.name, status, took)
        gone = webhook.connection.transport is None
        late = took > self._undeliverable.answer_within
        if handler is not None and (refusal is not None or late or gone):
            response = web.Response() if refusal is None else refusal
            self._undeliverable.answered(
                handler, webhook.headers, webhook, response, took=None if gone else took
            )
        if refusal is not None:
            refusal.headers["X-Request-Id"] = webhook.request_id
        return refusal

    def broke(self, webhook: Webhook, error: BaseException) -> None:
        """Count a webhook that ended in ``error``: a defect, or the end of the service."""
        if webhook.handler is not None:
            self._undeliverable.broke(webhook.handler, webhook.headers, webhook, error)


def known(webhook: Webhook) -> Handler:
    """Return what reads the webhooks of the account.

    Raises:
        web.HTTPNotFound: there is no such account.
    """
    if webhook.handler is None:
        raise web.HTTPNotFound(text="no such account\n")
    return webhook.handler


def no_room() -> web.HTTPException:
    """Return what a webhook is refused with if there is no room for it."""
    return web.HTTPServiceUnavailable(text="too much is waiting, send it again\n")


def _refusal(error: BaseException, webhook: Webhook) -> web.Response | None:
    """Return what ``error`` is answered; None if it is a defect."""
    match error:
        case web.HTTPException():
            status, text = error.status, error.text
        case TooLarge():
            status, text = 413, f"{error}\n"
        case NotDurable():
            if webhook.handler is not None:
                _warn("a webhook is not durable", webhook.handler, webhook, error)
            status, text = 503, "not durable, send it again\n"
        case _:
            return None
    return web.Response(status=status, text=text, headers=RETRY_AFTER if status == 503 else None)


def _warn(what: str, handler: Handler, webhook: Webhook, why: Exception) -> None:
    log.warning(what, account=handler.account.name, request_id=webhook.request_id, why=str(why))


def _traceparent(headers: Headers) -> str | None:
    header = headers.get(_TRACEPARENT)
    return header if header is not None and _IS_TRACE(header) else None
