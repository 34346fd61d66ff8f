"""A simulated process: it can be frozen and thawed, or crash, between any two of its steps.

All processes share one event loop. What a process does is known by its context, which its tasks,
timers and callbacks inherit.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

CURRENT: "ContextVar[Process | None]" = ContextVar("process", default=None)
"""The process whose step is being made; None outside of all, as in the cluster."""

OUTSIDE = Context()
"""The context of what happens outside of all processes."""

_BURIED_WITHIN = 300.0


class State(StrEnum):
    """How a process is."""

    RUNNING = "running"
    FROZEN = "frozen"
    CRASHED = "crashed"
    BURIED = "buried"


@dataclass(slots=True, eq=False)
class Step:
    """A callback of a process; while the process does not run, it is kept instead of made."""

    process: "Process"
    callback: Callable[..., object]
    args: tuple[Any, ...]
    context: Context
    handle: asyncio.Handle | None = None

    def __call__(self) -> None:
        """Make the step, if the process runs and nobody has cancelled it meanwhile."""
        if self.process.state in {State.FROZEN, State.CRASHED}:
            self.process.kept.append(self)
        elif self.handle is None or not self.handle.cancelled():
            self.callback(*self.args)


@dataclass(slots=True, eq=False)
class Process:
    """One process. One that is not ``mortal`` is never crashed, frozen or fenced by a fault."""

    name: str
    mortal: bool = True
    state: State = State.RUNNING
    kept: list[Step] = field(default_factory=list)
    tasks: "dict[asyncio.Task[Any], None]" = field(default_factory=dict)

    @property
    def alive(self) -> bool:
        """Tell whether it runs, or will when it is thawed."""
        return self.state in {State.RUNNING, State.FROZEN}

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> "asyncio.Task[Any]":
        """Have the process run ``work``."""
        context = copy_context()
        context.run(CURRENT.set, self)
        return asyncio.get_running_loop().create_task(work, name=name, context=context)

    def freeze(self) -> None:
        """Stop it as SIGSTOP does: its timers run out and its answers come, but it does nothing."""
        if self.state is State.RUNNING:
            self.state = State.FROZEN

    def thaw(self) -> None:
        """Let it go on, with all that came meanwhile."""
        if self.state is State.FROZEN:
            self.state = State.RUNNING
            self._go_on()

    def crash(self) -> None:
        """Stop it for ever: not even its ``finally`` blocks run."""
        if self.alive:
            self.state = State.CRASHED

    async def bury(self) -> None:
        """Unwind what is left of it; its clients reach nobody any more."""
        self.state = State.BURIED
        self._go_on()
        deadline = asyncio.get_running_loop().time() + _BURIED_WITHIN
        while self.tasks:
            for task in self.tasks:
                task.cancel()
            await asyncio.wait(list(self.tasks), timeout=1.0)
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{self.name} does not end: {list(self.tasks)}")

    def _go_on(self) -> None:
        kept, self.kept = self.kept, []
        # As asyncio does it: timers that ran out go before those who wait for what has arrived, so
        # that a time-out wins over an answer that was there in time.
        kept.sort(key=lambda step: not isinstance(step.handle, asyncio.TimerHandle))
        for step in kept:
            asyncio.BaseEventLoop.call_soon(
                asyncio.get_running_loop(),  # type: ignore[arg-type]
                step,
                context=step.context,
            )
