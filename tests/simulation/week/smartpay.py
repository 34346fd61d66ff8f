"""SmartPay in virtual time: its stand-in answers calls, and what it sends is delivered."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context
from enum import StrEnum
from random import Random
from typing import Any, TypeAlias

from handlers.exchange import Request, Response
from handlers.sandbox import Callback, Notification
from handlers.smartpay.sandbox.site import SmartPaySandbox
from receiver.sandbox.controls import run_control
from tests.simulation.loop import moment
from tests.simulation.trace import Trace
from tests.simulation.week.calls import Call, Calls, told

Deliver: TypeAlias = Callable[[Notification], Awaitable[int | None]]

_LATENCY = (0.05, 1.0)
_LOOKED_EVERY = 15.0


class Ailment(StrEnum):
    """What is wrong with the API."""

    DOWN = "down"
    MUTE = "mute"
    ERRING = "erring"
    THROTTLING = "throttling"


_ERROR = Response(500, b"<html>Internal Server Error</html>")


class SmartPay:
    """The provider. An ailing API counts against the account what is asked of it all the same."""

    def __init__(
        self, sandbox: SmartPaySandbox, deliver: Deliver, rng: Random, trace: Trace
    ) -> None:
        self.sandbox = sandbox
        self.ailment: Ailment | None = None
        self.calls = Calls()
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
        with self.calls.made_now() as call:
            loop = asyncio.get_running_loop()
            serving = loop.create_task(self._serve(request, call), context=Context())
            response = await asyncio.shield(serving)
            if response is None:
                raise ConnectionError
            call.heard = told(request, response)
            return response

    async def run(self) -> None:
        """Deliver what is due, until cancelled."""
        while True:
            for notification in self.sandbox.due(moment()):
                task = asyncio.create_task(self._hand_over(notification))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            await asyncio.sleep(_LOOKED_EVERY)

    async def _serve(self, request: Request, call: Call) -> Response | None:
        try:
            await asyncio.sleep(self._rng.uniform(*_LATENCY))
            if self.ailment is Ailment.DOWN:
                return None
            self.calls.arrived.append(moment())
            response = await self._answer(request)
            self._trace.add("smartpay", f"{request.method} {request.path}: {response.status}")
            await asyncio.sleep(self._rng.uniform(*_LATENCY))
            return None if self.ailment is Ailment.MUTE else response
        finally:
            self.calls.answered(call)

    async def _answer(self, request: Request) -> Response:
        access = self.sandbox._merchant.access
        access.is_throttling = self.ailment is Ailment.THROTTLING
        if self.ailment is Ailment.ERRING and not access.is_disabled:
            access.count_error(moment())
            return _ERROR
        response = self.sandbox.handle(request, moment())
        while isinstance(response, Callback):
            response = response.resume(await self._deliver(response.notification))
        return response

    async def _hand_over(self, notification: Notification) -> None:
        status = await self._deliver(notification)
        self._trace.add("smartpay", f"{notification.id} got {status}")
        self.sandbox.answered(notification.id, status, moment())
