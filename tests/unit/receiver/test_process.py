"""The life of a serving process: what makes it end, and how."""

import asyncio
import gc
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from receiver.process import serve
from receiver.roles import ALL_ROLES
from receiver.service import Ports, Service
from receiver.workers.lifeline import Lifeline, LifelineHolder

WITHIN = 10.0
"""Seconds, should it be waited for in vain."""


class FakeService:
    """A service whose start may take its time, and whose end takes until it is allowed to."""

    roles = ALL_ROLES
    settings = SimpleNamespace(http=SimpleNamespace(drain_delay=timedelta(0)))
    draining = False

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_start = asyncio.Event()
        self.may_start.set()
        self.started = asyncio.Event()
        self.stopping = asyncio.Event()
        self.may_end = asyncio.Event()

    async def start(self) -> Ports:
        """Start when it may."""
        self.begun.set()
        await self.may_start.wait()
        self.started.set()
        return Ports(1, 2)

    async def stop(self) -> None:
        """End when it may."""
        self.stopping.set()
        await self.may_end.wait()

    async def broken(self) -> str:
        """Never break."""
        await asyncio.Event().wait()
        return ""


@pytest.fixture(autouse=True)
def _garbage_as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.fixture
async def exits(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[int]":
    """Return the codes with which the process would have ended at once."""
    codes: asyncio.Queue[int] = asyncio.Queue()
    monkeypatch.setattr(os, "_exit", codes.put_nowait)
    return codes


async def test_a_second_signal_ends_at_once(exits: "asyncio.Queue[int]") -> None:
    """The first one drains."""
    service = FakeService()
    serving = asyncio.create_task(serve(cast("Service", service)))
    await service.started.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    await service.stopping.wait()
    assert (service.draining, exits.qsize()) == (True, 0)
    os.kill(os.getpid(), signal.SIGINT)
    assert await exits.get() == 1
    service.may_end.set()
    assert await serving == 0


async def test_a_signal_after_the_supervisor_wanted_an_end_is_the_first(
    exits: "asyncio.Queue[int]",
) -> None:
    """Whoever ends all processes of a service at once sends one to its workers too."""
    service, holder = FakeService(), LifelineHolder()
    lifeline = Lifeline(holder.theirs)
    serving = asyncio.create_task(serve(cast("Service", service), lifeline))
    assert await holder.serving()
    holder.cut()
    await service.stopping.wait()
    seen = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, seen.set)
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGUSR1)
    await seen.wait()
    assert exits.empty()
    service.may_end.set()
    assert await serving == 0
    holder.close()


@pytest.mark.usefixtures("exits")
async def test_a_signal_ends_what_has_not_started_yet() -> None:
    """A disk that hangs, or a slow import, keeps nobody waiting who wants an end."""
    service = FakeService()
    service.may_start.clear()
    service.may_end.set()
    serving = asyncio.create_task(serve(cast("Service", service)))
    await service.begun.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(WITHIN):
        assert await serving == 0
    assert (service.draining, service.started.is_set()) == (True, False)


async def test_what_cannot_start_is_stopped_and_told() -> None:
    """An address that is taken ends the process with the reason."""
    service = FakeService()
    service.may_end.set()

    async def taken() -> Ports:
        raise OSError("the address is taken")

    service.start = taken  # type: ignore[method-assign]
    with pytest.raises(OSError, match="is taken"):
        await serve(cast("Service", service))
    assert service.stopping.is_set()
