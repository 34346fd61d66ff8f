"""``payevents serve``: in this process, or in several that this one looks after."""

import asyncio
import gc
import sys
from pathlib import Path

import typer

from config.logging import configure
from config.settings import Settings
from receiver.cli.context import fail
from receiver.roles import Role
from receiver.workers.count import count_of


def run(settings: Settings, roles: str, workers: str, config: Path | None) -> int:
    """Serve until a signal; return the exit code. ``config`` is where the settings are from."""
    chosen, count = _roles(roles), _count(workers)
    if count == 1:
        from receiver.cli.serving import run_service

        return run_service(settings, chosen)
    return _supervise(settings, chosen, count, config)


def _supervise(settings: Settings, roles: frozenset[Role], count: int, config: Path | None) -> int:
    from receiver.workers.run import supervise

    # It was off for a start that goes on in a worker.
    gc.enable()
    observability = settings.observability
    configure(sys.stderr, observability.log_level, observability.log_format)
    try:
        return asyncio.run(supervise(settings, roles, count, config))
    except OSError as error:
        raise fail(str(error)) from None


def _roles(text: str) -> frozenset[Role]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = sorted(set(names) - set(Role))
    if unknown or not names:
        told = f"no such role: {', '.join(unknown)}" if unknown else "no role given"
        raise typer.BadParameter(f"{told}; there are {', '.join(Role)}", param_hint="--roles")
    return frozenset(map(Role, names))


def _count(text: str) -> int:
    try:
        return count_of(text)
    except ValueError:
        told = f"{text!r} is no number of workers; give 1, 2, …, or auto"
        raise typer.BadParameter(told, param_hint="--workers") from None
