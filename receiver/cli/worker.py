"""One of the workers of ``payevents serve --workers``: its supervisor alone starts it."""

import gc
import socket
import sys
from contextlib import suppress
from pathlib import Path

import typer

from receiver.cli.context import load_settings
from receiver.http.listening import Handed
from receiver.roles import Role
from receiver.workers.lifeline import Lifeline
from receiver.workers.place import Place


def main(argument: str) -> int:
    """Serve until the supervisor wants an end or is gone; return the exit code."""
    place = Place.from_argument(argument)
    lifeline = Lifeline(socket.socket(fileno=place.lifeline))
    public = None if place.public is None else socket.socket(fileno=place.public)
    handed = Handed(public, Path(place.admin))
    try:
        return _serve(place, handed, lifeline)
    except typer.Exit as end:
        return end.exit_code
    finally:
        if lifeline.cut:
            _tidy(handed.admin)


def _serve(place: Place, handed: Handed, lifeline: Lifeline) -> int:
    from receiver.cli.serving import run_service

    config = None if place.config is None else Path(place.config)
    return run_service(
        load_settings(config, strict_accounts_dir=False),
        frozenset(map(Role, place.roles)),
        worker=place.number,
        handed=handed,
        lifeline=lifeline,
    )


def _tidy(admin: Path) -> None:
    """Remove what a supervisor that was killed could not: the last one takes the folder along."""
    admin.unlink(missing_ok=True)
    with suppress(OSError):
        admin.parent.rmdir()


if __name__ == "__main__":
    # As for a single process: what is made until it serves stays.
    gc.disable()
    sys.exit(main(sys.argv[1]))
