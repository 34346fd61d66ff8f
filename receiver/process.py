"""The life of the serving process: start, signals, drain, end."""

import asyncio
import gc
import os
import signal

import structlog

from receiver.service import Ports, Role, Service
from receiver.workers.lifeline import Lifeline

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

END_WITHIN = 26.0
"""Seconds for the drain, and for what is under way to finish after it; less than 30."""

_MANY = 50_000
"""New objects beyond which the garbage collector looks for cycles among them.

A few dozen requests under way are a thousand objects and leave no cycle behind: with Python's own
700 it would look through them at every turn of the loop, for a tenth of what a webhook costs.
"""


async def serve(service: Service, lifeline: Lifeline | None = None) -> int:
    """Run ``service`` until SIGTERM or SIGINT; return the exit code.

    A second signal ends the process at once, which is as safe as a kill: what was answered 200 is
    durable, and what was not committed will be done again. One of several workers also ends when
    the supervisor at the other end of its ``lifeline`` wants it to, or is gone.

    Raises:
        OSError: an address cannot be listened on.
    """
    stop, signalled = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, signalled, stop)
    if lifeline is not None:
        lifeline.watch(stop.set)
    try:
        ports = await _started(service, stop)
    except BaseException:
        await service.stop()
        raise
    if ports is not None:
        # What is there by now stays: no later collection has to look at it again.
        gc.freeze()
        gc.set_threshold(_MANY)
        gc.enable()
        if lifeline is None:
            log.info("serving", roles=sorted(service.roles), public=ports.public, admin=ports.admin)
        else:
            log.info("a worker serves")
            lifeline.tell_serving()
    stopped = asyncio.create_task(stop.wait())
    broken = asyncio.create_task(service.broken())
    await asyncio.wait({stopped, broken}, return_when=asyncio.FIRST_COMPLETED)
    failed = not stop.is_set()
    service.draining = True
    if lifeline is not None:
        lifeline.tell_stopping()
    try:
        async with asyncio.timeout(END_WITHIN):
            if Role.RECEIVE in service.roles and not failed:
                delay = service.settings.http.drain_delay.total_seconds()
                log.info("draining", seconds=delay)
                await asyncio.sleep(delay)
            await service.stop()
    except TimeoutError:
        log.warning("ended without waiting any longer", seconds=END_WITHIN)
    stopped.cancel()
    broken.cancel()
    log.info("ended")
    return 1 if failed else 0


async def _started(service: Service, stop: asyncio.Event) -> Ports | None:
    """Start ``service``; None if it is to end before it has started, whatever that waits for."""
    starting = asyncio.create_task(service.start())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return starting.result() if starting.done() else None
    finally:
        starting.cancel()
        stopped.cancel()
        await asyncio.wait({starting, stopped})


def _on_signal(signalled: asyncio.Event, stop: asyncio.Event) -> None:
    # A supervisor that wants an end sends none: the first signal after that is no second one.
    if signalled.is_set():
        log.warning("a second signal: ending at once")
        os._exit(1)
    signalled.set()
    stop.set()
