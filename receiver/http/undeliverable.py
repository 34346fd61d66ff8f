"""Answers that a provider may count as undeliverable.

A provider that switches a webhook off after so many failures counts every answer but 200, and those
that came later than it waits. What never got as far as a request with a head, such as a connection
refused for want of room, cannot be seen here: there are at least so many.
"""

from asyncio import CancelledError
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import msgspec
from aiohttp import web

from handlers.clock import Clock
from handlers.provider import Handler
from receiver.observability.metrics import Metrics
from receiver.registration.signs import Failure
from receiver.registration.undelivered import Failures

OK: Final = 200

REASONS: Final[Mapping[int | None, str]] = {
    None: "gone",
    OK: "late",
    400: "broke-off",
    401: "signature",
    408: "too-slow",
    413: "too-large",
    415: "encoded",
    417: "expectation",
    500: "internal-error",
    503: "unavailable",
}
"""The label of each status; None is for a sender that was gone before the answer."""

OTHERWISE: Final = "refused"
"""The label of any other status."""


class Delivery(msgspec.Struct):
    """One request to an account: its id and its body, None as long as that has not been read."""

    request_id: str
    body: bytes | None = None


class Undeliverable:
    """Counts the answers of one listener that were not 200, or not in time.

    ``answer_within`` is in seconds.
    """

    def __init__(
        self, failures: Failures, metrics: Metrics, clock: Clock, answer_within: float
    ) -> None:
        self.answer_within = answer_within
        self._failures = failures
        self._metrics = metrics
        self._clock = clock

    def answered(
        self,
        handler: Handler,
        headers: Mapping[str, str],
        delivery: Delivery,
        response: web.Response,
        *,
        took: float | None,
    ) -> None:
        """Count an answer that took so many seconds, or None: nobody was left to hear it.

        ``headers`` have names in lower case. Only requests that are the provider's by them count.
        """
        said = "the webhook was taken" if response.status == OK else (response.text or "").strip()
        if took is None:
            self._count(handler, headers, delivery, None, f"the sender was gone: {said}")
        elif response.status == OK:
            self._count(handler, headers, delivery, OK, f"answered after {took:.1f}s")
        else:
            self._count(handler, headers, delivery, response.status, said)

    def broke(
        self,
        handler: Handler,
        headers: Mapping[str, str],
        delivery: Delivery,
        error: BaseException,
    ) -> None:
        """Count a request that ended in ``error``: a defect, or the end of the service."""
        if isinstance(error, CancelledError):
            self._count(handler, headers, delivery, None, "the service ended before it answered")
        else:
            self._count(handler, headers, delivery, 500, "an internal error")

    def _count(
        self,
        handler: Handler,
        headers: Mapping[str, str],
        delivery: Delivery,
        status: int | None,
        why: str,
    ) -> None:
        topic = handler.delivery_topic(headers)
        if topic is None:
            return
        account = handler.account.name
        reason = REASONS.get(status, OTHERWISE)
        self._metrics.undeliverable.labels(account, topic, reason).inc()
        body = delivery.body
        self._failures.note(
            account,
            Failure(
                topic=topic,
                status=status,
                why=why,
                at=self._clock().timestamp(),
                request_id=delivery.request_id,
                digest="" if body is None else sha256(body).hexdigest(),
            ),
        )
