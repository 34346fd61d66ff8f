"""The receivers: what a load balancer hands to one of them, and what comes back in time."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from urllib.parse import urlsplit

from aiohttp import web

from handlers.observation import Observation, Origin
from handlers.provider import BadSignature, Handler
from handlers.sandbox import Notification
from receiver.accounts.registry import Accounts
from receiver.http.undeliverable import OK, Delivery, Undeliverable
from receiver.inbox import Inbox
from receiver.kafka.appender import NotDurable
from tests.simulation.process import State
from tests.simulation.world import Machine

PATIENCE = 10.0
"""Seconds that the provider waits for an answer."""

_LATENCY = (0.005, 0.2)


class Blockage(StrEnum):
    """What is wrong between the provider and the receivers."""

    UNREACHABLE = "unreachable"
    CLOSED = "closed to the outside"
    SLOW = "slow"
    REFUSING = "refusing"


@dataclass(frozen=True, slots=True)
class Receiver:
    """What receives in one process: as the public listener does it, without sockets and spool."""

    machine: Machine
    accounts: Accounts
    inbox: Inbox
    undeliverable: Undeliverable

    async def receive(self, notification: Notification, delay: float) -> int:
        """Return the status of a notification whose body takes ``delay`` seconds to arrive."""
        name = urlsplit(notification.url).path.removeprefix("/webhooks/")
        handler = self.accounts.get(name)
        if handler is None:
            return 404
        await asyncio.sleep(delay)
        headers = {key.lower(): value for key, value in notification.headers.items()}
        response = await self._answer(handler, headers, notification)
        if response.status != OK or delay > self.undeliverable.answer_within:
            delivery = Delivery(notification.id, notification.body)
            self.undeliverable.answered(handler, headers, delivery, response, took=delay)
        return response.status

    async def _answer(
        self, handler: Handler, headers: dict[str, str], notification: Notification
    ) -> web.Response:
        received_at, body = self.machine.now(), notification.body
        try:
            topic, signed_with = handler.verify(headers, body, received_at)
        except BadSignature as error:
            return web.Response(status=401, text=str(error))
        observation = Observation(
            handler.account.name,
            Origin.WEBHOOK,
            topic,
            received_at,
            body,
            notification.id,
            signed_with=signed_with,
        )
        try:
            await self.inbox.append(handler.inbox_key(topic, body), observation)
        except NotDurable as error:
            return web.Response(status=503, text=str(error))
        return web.Response(status=OK)


@dataclass(slots=True)
class Front:
    """Hands each notification to one of the ``receivers``, which are there by process name."""

    rng: Random
    receivers: dict[str, Receiver] = field(default_factory=dict)
    blockage: Blockage | None = None

    async def deliver(self, notification: Notification) -> int | None:
        """Deliver once; return the status, None if nothing came in time."""
        await asyncio.sleep(self.rng.uniform(*_LATENCY))
        if self.blockage in {Blockage.UNREACHABLE, Blockage.CLOSED} or not self.receivers:
            return None
        if self.blockage is Blockage.REFUSING and self.rng.random() < 3 / 4:
            return 503
        receiver = self.receivers[self.rng.choice(sorted(self.receivers))]
        process = receiver.machine.process
        if process.state is State.CRASHED:
            return None
        delay = 2 * PATIENCE if self.blockage is Blockage.SLOW else 0.0
        receiving = process.spawn(receiver.receive(notification, delay), "webhook")
        await asyncio.wait([receiving], timeout=PATIENCE)
        return receiving.result() if receiving.done() else None

    async def reach(self, _: str) -> str | None:
        """Return why we cannot be called from outside, None if we can."""
        return "nothing answers" if self.blockage is Blockage.UNREACHABLE else None
