"""The life of the serving process: start, signals, drain, end."""

import asyncio
import os
import signal

import structlog

from receiver.service import Role, Service

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

END_WITHIN = 26.0
"""Seconds for the drain, and for what is under way to finish after it; less than 30."""


async def serve(service: Service) -> int:
    """Run ``service`` until SIGTERM or SIGINT; return the exit code.

    A second signal ends the process at once, which is as safe as a kill: what was answered 200 is
    durable, and what was not committed will be done again.

    Raises:
        OSError: an address cannot be listened on.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, stop)
    try:
        ports = await service.start()
    except BaseException:
        await service.stop()
        raise
    log.info("serving", roles=sorted(service.roles), public=ports.public, admin=ports.admin)
    stopped = asyncio.create_task(stop.wait())
    broken = asyncio.create_task(service.broken())
    await asyncio.wait({stopped, broken}, return_when=asyncio.FIRST_COMPLETED)
    failed = not stop.is_set()
    service.draining = True
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


def _on_signal(stop: asyncio.Event) -> None:
    if stop.is_set():
        log.warning("a second signal: ending at once")
        os._exit(1)
    stop.set()
