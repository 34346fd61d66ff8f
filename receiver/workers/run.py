"""The life of a command that serves with several workers: start, signals, drain, end."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from config.listeners import AdminSettings
from config.settings import Settings
from handlers.clock import utc_now
from receiver.http.server import admin_server
from receiver.observability.alarms import Alarms
from receiver.roles import Role
from receiver.workers.admin import WorkersAdmin
from receiver.workers.asking import AdminOf
from receiver.workers.life import PROGRAM, Launcher
from receiver.workers.sharing import SharedPort
from receiver.workers.supervisor import Supervisor
from receiver.workers.vigil import Vigil
from receiver.workers.worker import State, Worker

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def supervise(
    settings: Settings,
    roles: frozenset[Role],
    count: int,
    config: Path | None,
    *,
    program: Sequence[str] = PROGRAM,
) -> int:
    """Serve with ``count`` workers until SIGTERM or SIGINT; return the exit code.

    ``config`` is the file that the settings are from, which each worker reads for itself. A second
    signal ends all at once.

    Raises:
        OSError: an address cannot be listened on.
    """
    alarms = Alarms(utc_now)
    port = SharedPort(settings.http.host, settings.http.port) if Role.RECEIVE in roles else None
    async with AsyncExitStack() as opened:
        # Made for this user alone.
        folder = opened.enter_context(
            tempfile.TemporaryDirectory(prefix="payevents-", ignore_cleanup_errors=True)
        )
        launcher = Launcher(Path(folder), config, sorted(roles), program)
        held_for = settings.http.answer_within.total_seconds()
        workers = _workers(count, port, launcher, alarms, held_for)
        for worker in workers:
            opened.callback(worker.drain)
        supervisor = Supervisor(workers)
        admins = _admins(settings.admin, supervisor, launcher, opened)
        server = admin_server(
            WorkersAdmin(_token(settings.admin), supervisor, admins, alarms).application(),
            settings.admin,
        )
        opened.push_async_callback(server.stop)
        admin_port = await server.start()
        vigil = asyncio.create_task(Vigil(admins).run())
        opened.callback(vigil.cancel)
        stop = _stop_on_signals(supervisor, folder)

        def tell() -> None:
            public = None if port is None else port.port
            log.info("serving", roles=sorted(roles), public=public, admin=admin_port, workers=count)

        code = await supervisor.run(stop, tell)
    log.info("ended")
    return code


def _workers(
    count: int, port: SharedPort | None, launcher: Launcher, alarms: Alarms, held_for: float
) -> list[Worker]:
    workers: list[Worker] = []

    def alone() -> bool:
        return not any(worker.state is State.SERVING for worker in workers)

    workers.extend(
        Worker(number, port, launcher.start, alarms, held_for=held_for, alone=alone)
        for number in range(count)
    )
    return workers


def _admins(
    settings: AdminSettings, supervisor: Supervisor, launcher: Launcher, opened: AsyncExitStack
) -> list[AdminOf]:
    token = _token(settings)
    admins = []
    for worker in supervisor.workers:
        admin = AdminOf(worker, launcher.admin(worker.number), token)
        opened.push_async_callback(admin.close)
        admins.append(admin)
    return admins


def _token(settings: AdminSettings) -> str | None:
    return None if settings.token is None else settings.token.get_secret_value()


def _stop_on_signals(supervisor: Supervisor, folder: str) -> asyncio.Event:
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            log.warning("a second signal: ending at once")
            supervisor.kill()
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop
