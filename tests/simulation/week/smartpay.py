"""SmartPay in virtual time: its stand-in answers calls, and what it sends is delivered."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from datetime import datetime
from enum import StrEnum
from random import Random
from typing import Any, TypeAlias

from handlers.exchange import Request, Response
from handlers.sandbox import Callback, Notification
from handlers.smartpay.sandbox.site import SmartPaySandbox
from receiver.sandbox.controls import run_control
from tests.simulation.loop import moment
from tests.simulation.trace import Trace

Deliver: TypeAlias = Callable[[Notification], Awaitable[int | None]]

_LATENCY = (0.05, 1.0)
_LOOKED_EVERY = 15.0


class Ailment(StrEnum):
    """What is wrong with the API."""

    DOWN = "down"
    MUTE = "mute"
    ERRING = "erring"
    THROTTLING = "throttling"


_ANSWERS = {
    Ailment.ERRING: Response(500, b"<html>Internal Server Error</html>"),
    Ailment.THROTTLING: Response.json(429, {"errors": {"1003": "Too many calls"}}),
}


class SmartPay:
    """The provider. ``calls`` are the times of all requests that reached its API."""

    def __init__(
        self, sandbox: SmartPaySandbox, deliver: Deliver, rng: Random, trace: Trace
    ) -> None:
        self.sandbox = sandbox
        self.ailment: Ailment | None = None
        self.calls: list[datetime] = []
        self._deliver = deliver
        self._rng = rng
        self._trace = trace
        self._under_way: set[asyncio.Task[None]] = set()

    def cause(self, control: str, **arguments: str) -> Any:
        """Cause something, as a person does at the sandbox, and return what it shows.

        Raises:
            ControlRefused: it cannot be done.
        """
        return run_control(self.sandbox.controls, control, arguments, moment())

    async def exchange(self, request: Request) -> Response:
        """Answer a request of the API.

        Raises:
            ConnectionError: nothing answers.
        """
        serving = asyncio.get_running_loop().create_task(self._serve(request), context=Context())
        response = await asyncio.shield(serving)
        if response is None:
            raise ConnectionError
        return response

    async def run(self) -> None:
        """Deliver what is due, until cancelled."""
        while True:
            for notification in self.sandbox.due(moment()):
                task = asyncio.create_task(self._hand_over(notification))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            await asyncio.sleep(_LOOKED_EVERY)

    async def _serve(self, request: Request) -> Response | None:
        await asyncio.sleep(self._rng.uniform(*_LATENCY))
        if self.ailment is Ailment.DOWN:
            return None
        self.calls.append(moment())
        ailing = None if self.ailment is None else _ANSWERS.get(self.ailment)
        if ailing is not None:
            return ailing
        response = self.sandbox.handle(request, moment())
        while isinstance(response, Callback):
            response = response.resume(await self._deliver(response.notification))
        self._trace.add("smartpay", f"{request.method} {request.path}: {response.status}")
        await asyncio.sleep(self._rng.uniform(*_LATENCY))
        return None if self.ailment is Ailment.MUTE else response

    async def _hand_over(self, notification: Notification) -> None:
        status = await self._deliver(notification)
        self._trace.add("smartpay", f"{notification.id} got {status}")
        self.sandbox.answered(notification.id, status, moment())
