"""Running the service in this process."""

import os
import sys
import threading

import uvloop

from config.logging import configure
from config.settings import Settings
from receiver.accounts.providers import installed_providers
from receiver.cli.context import fail
from receiver.http.listening import Handed
from receiver.process import serve
from receiver.service import Role, Service
from receiver.workers.lifeline import Lifeline

_LEFTOVERS = 2.0
"""Seconds for what client libraries left behind; it holds nothing that is not durable."""


def run_service(
    settings: Settings,
    roles: frozenset[Role],
    *,
    worker: int | None = None,
    handed: Handed | None = None,
    lifeline: Lifeline | None = None,
) -> int:
    """Serve until a signal; return the exit code.

    One of several workers has a number, ``worker``, and is given what to listen on and a
    ``lifeline`` to its supervisor.
    """
    observability = settings.observability
    configure(
        sys.stderr,
        observability.log_level,
        observability.log_format,
        always={} if worker is None else {"worker": worker},
    )

    async def main() -> int:
        service = Service(settings, installed_providers(), roles=roles, handed=handed)
        code = await serve(service, lifeline)
        # A task that will not be cancelled must not keep the process from ending in time.
        guard = threading.Timer(_LEFTOVERS, os._exit, [code])
        guard.daemon = True
        guard.start()
        return code

    try:
        return uvloop.run(main())
    except OSError as error:
        raise fail(str(error)) from None
