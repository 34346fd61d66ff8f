"""Webhooks as SmartPay sends them, and a sender that does not give up before it gets its 200."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.support.configuration import SIGNING_KEY

RETRY_AFTER = 0.1
"""Seconds before a webhook that was not answered 200 is sent again."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One notification: its topic and its body."""

    topic: str
    body: bytes

    def headers(self, key: str = SIGNING_KEY) -> dict[str, str]:
        """Return the headers, signed with ``key``."""
        digest = hmac.new(key.encode(), self.body, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "X-SmartPay-Topic": self.topic,
            "X-SmartPay-Hmac-Sha256": base64.b64encode(digest).decode(),
        }


def invoice(invoice_id: str, topic: str = "invoice/created", **fields: Any) -> Webhook:
    """Return a notification about an invoice of 10.00 CAD, unpaid unless ``fields`` say so."""
    body = {
        "invoice_id": invoice_id,
        "order_id": f"order-of-{invoice_id}",
        "amount": "10.00",
        "is_dummy": False,
        "is_enabled": True,
        "date_paid": None,
        "date_failed": None,
        **fields,
    }
    return Webhook(topic, json.dumps(body).encode())


def lives(count: int, prefix: str = "i") -> list[Webhook]:
    """Return, for each of ``count`` invoices, that it was created and that it was paid."""
    created = [invoice(f"{prefix}{number}") for number in range(count)]
    paid = [
        invoice(f"{prefix}{number}", "invoice/paid", date_paid="2018-01-01 12:00:00")
        for number in range(count)
    ]
    return [webhook for pair in zip(created, paid, strict=True) for webhook in pair]


async def post(url: str, webhook: Webhook, key: str = SIGNING_KEY) -> int:
    """Send once; return the status."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=webhook.body, headers=webhook.headers(key)) as answer,
    ):
        return answer.status


@dataclass(slots=True)
class Sender:
    """Sends webhooks, several at a time, each again until it is answered 200.

    ``urls`` are tried in turn, as a load balancer would; ``accepted`` counts the 200s.
    """

    urls: list[str]
    concurrency: int = 16
    accepted: int = 0
    refused: int = 0
    _turn: int = field(default=0, repr=False)

    async def send(self, webhooks: Iterable[Webhook]) -> None:
        """Send all; return when each has got its 200."""
        waiting = iter(webhooks)
        timeout = aiohttp.ClientTimeout(total=15)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            workers = [self._work(session, waiting) for _ in range(self.concurrency)]
            await asyncio.gather(*workers)

    async def _work(self, session: aiohttp.ClientSession, waiting: "Iterable[Webhook]") -> None:
        for webhook in waiting:
            while not await self._accepted(session, webhook):
                self.refused += 1
                await asyncio.sleep(RETRY_AFTER)
            self.accepted += 1

    async def _accepted(self, session: aiohttp.ClientSession, webhook: Webhook) -> bool:
        self._turn += 1
        url = self.urls[self._turn % len(self.urls)]
        try:
            async with session.post(url, data=webhook.body, headers=webhook.headers()) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
