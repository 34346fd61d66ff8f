"""Delivering what a sandbox sends: each notification by POST, several at a time."""

import asyncio

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout

from handlers.clock import Clock
from handlers.sandbox import Notification, Sandbox

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_LOOK_EVERY = 0.05
_AT_ONCE = 16


class Deliveries:
    """Delivers notifications through ``client``, each within ``patience`` seconds or its own."""

    def __init__(
        self, sandbox: Sandbox, clock: Clock, client: ClientSession, patience: float
    ) -> None:
        self._sandbox = sandbox
        self._clock = clock
        self._client = client
        self._patience = patience
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def run(self) -> None:
        """Deliver what is due, until cancelled."""
        async with asyncio.TaskGroup() as under_way:
            while True:
                for notification in self._sandbox.due(self._clock()):
                    under_way.create_task(self._deliver_due(notification))
                await asyncio.sleep(_LOOK_EVERY)

    async def deliver(self, notification: Notification) -> int | None:
        """Deliver once; return the HTTP status, None if nothing answered in time."""
        status: int | None = None
        within = notification.within
        patience = self._patience if within is None else within.total_seconds()
        async with self._slots:
            try:
                async with self._client.post(
                    notification.url,
                    data=notification.body,
                    headers=dict(notification.headers),
                    allow_redirects=False,
                    timeout=ClientTimeout(total=patience),
                ) as answer:
                    status = answer.status
            except (ClientError, TimeoutError, OSError, ValueError) as error:
                log.info("not delivered", notification=notification.id, why=type(error).__name__)
        if status is not None:
            log.info("delivered", notification=notification.id, status=status)
        return status

    async def _deliver_due(self, notification: Notification) -> None:
        status = await self.deliver(notification)
        self._sandbox.answered(notification.id, status, self._clock())
