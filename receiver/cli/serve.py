"""``payevents serve``."""

import os
import sys
import threading

import typer
import uvloop

from config.logging import configure
from config.settings import Settings
from receiver.accounts.providers import installed_providers
from receiver.cli.context import fail
from receiver.process import serve
from receiver.service import Role, Service

_LEFTOVERS = 2.0
"""Seconds for what client libraries left behind; it holds nothing that is not durable."""


def run(settings: Settings, roles: str) -> int:
    """Serve until a signal; return the exit code."""
    chosen = _roles(roles)
    observability = settings.observability
    configure(sys.stderr, observability.log_level, observability.log_format)

    async def main() -> int:
        code = await serve(Service(settings, installed_providers(), roles=chosen))
        # A task that will not be cancelled must not keep the process from ending in time.
        guard = threading.Timer(_LEFTOVERS, os._exit, [code])
        guard.daemon = True
        guard.start()
        return code

    try:
        return uvloop.run(main())
    except OSError as error:
        raise fail(str(error)) from None


def _roles(text: str) -> frozenset[Role]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = sorted(set(names) - set(Role))
    if unknown or not names:
        told = f"no such role: {', '.join(unknown)}" if unknown else "no role given"
        raise typer.BadParameter(f"{told}; there are {', '.join(Role)}", param_hint="--roles")
    return frozenset(map(Role, names))
