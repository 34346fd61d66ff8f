"""The event loop of a simulation: virtual time, and processes that can be frozen."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

from tests.simulation.process import CURRENT, Step
from tests.unit.receiver.polling.virtual import VirtualTimeLoop

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

EPOCH = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
"""When every simulation begins."""


class SimulationLoop(VirtualTimeLoop):
    """Makes each process's steps only while that process runs.

    ``complaints`` holds what asyncio would have logged: exceptions that nobody heard.
    """

    def __init__(self) -> None:
        super().__init__()
        self.complaints: list[str] = []
        self.set_exception_handler(self._complain)

    def call_soon(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Call as soon as possible."""
        handle: asyncio.Handle = _guarded(super().call_soon, callback, args, context)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call when the time is ``when``."""
        at = partial(super().call_at, when)
        handle: asyncio.TimerHandle = _guarded(at, callback, args, context)
        return handle

    def create_task(
        self,
        coro: Any,
        *,
        name: object = None,
        context: Context | None = None,
    ) -> "asyncio.Task[Any]":
        """Make a task, and note to which process it belongs."""
        task: asyncio.Task[Any] = super().create_task(coro, name=name, context=context)
        process = CURRENT.get() if context is None else context.get(CURRENT)
        if process is not None:
            process.tasks[task] = None
            task.add_done_callback(lambda ended: process.tasks.pop(ended, None))
        return task

    def _complain(self, _: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
        self.complaints.append(f"{about.get('message')}: {about.get('exception')!r}")


def moment() -> datetime:
    """Return the time: the running loop's, after the epoch."""
    return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run ``work`` in a simulation's loop.

    Raises:
        AssertionError: an exception was heard by nobody.
    """
    loop = SimulationLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        result = runner.run(work)
    assert not loop.complaints, loop.complaints
    return result


def _guarded(
    schedule: Callable[..., Any],
    callback: Callable[..., object],
    args: tuple[Any, ...],
    context: Context | None,
) -> Any:
    context = copy_context() if context is None else context
    process = context.get(CURRENT)
    if process is None:
        return schedule(callback, *args, context=context)
    step = Step(process, callback, args, context)
    step.handle = schedule(step, context=context)
    return step.handle
