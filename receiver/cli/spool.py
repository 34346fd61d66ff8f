"""``payevents spool``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from receiver.cli.context import ConfigOption, JsonOption, fail, load_settings

if TYPE_CHECKING:
    from config.settings import Settings
    from receiver.kafka.clients import Clients
    from receiver.spool.listing import ListedFile

app = typer.Typer(help="What waits on this machine's disk for Kafka.")


@app.command()
def status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show the spool files of this machine: whose they are, and how much waits in them."""
    from receiver.cli.output import print_json, print_table

    settings = load_settings(config)
    folder = Path(settings.spool.directory)
    rows = [file.as_json() for file in _listed(folder)]
    if json:
        print_json({"directory": str(folder), "files": rows})
        return
    print_table(
        rows, ["file", "state", "observations", "bytes", "why"], f"nothing is spooled in {folder}"
    )


@app.command()
def drain(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Send what dead processes left behind to Kafka; those that live drain their own.

    Ends with 1 if a file is damaged.
    """
    from receiver.cli.kafka import run
    from receiver.cli.output import print_json, printable
    from receiver.spool.listing import State, spool_files

    settings = load_settings(config)
    folder = Path(settings.spool.directory)
    with _failing():
        # Before Kafka is asked for anything.
        _check(folder)
        spool_files(folder)
    count = run(settings, lambda clients: _drain(settings, clients))
    left = _listed(folder)
    damaged = {file.file: why for file in left if (why := _trouble(file))}
    in_use = [file.file for file in left if file.state is State.IN_USE]
    if json:
        print_json({"drained": count, "damaged": damaged, "in_use": in_use})
    else:
        typer.echo(f"{count} observations drained")
    for name, why in damaged.items():
        typer.echo(printable(f"error: {name}: {why}; keep the file"), err=True)
    for name in in_use:
        typer.echo(printable(f"note: {name} is in use; its process drains it"), err=True)
    if damaged:
        raise typer.Exit(1)


def _listed(folder: Path) -> "list[ListedFile]":
    from receiver.spool.listing import listed

    with _failing():
        _check(folder)
        return list(listed(folder))


def _check(folder: Path) -> None:
    """Refuse a folder that is not there: whether that is the right one, nobody knows."""
    from receiver.failures import without_path
    from receiver.spool.errors import SpoolFailed

    try:
        folder.stat()
    except FileNotFoundError:
        told = "a process that receives makes it; check spool.directory, or ask 'payevents doctor'"
        raise SpoolFailed(f"{folder}: there is no such folder; {told}") from None
    except OSError as error:
        raise SpoolFailed(f"{folder}: {without_path(error)}; check spool.directory") from error


@contextmanager
def _failing() -> Iterator[None]:
    from receiver.spool.errors import SpoolFailed

    try:
        yield
    except SpoolFailed as error:
        raise fail(str(error)) from None


def _trouble(file: "ListedFile") -> str:
    """Return what is wrong with a file that is still there after draining; empty if nothing is."""
    from receiver.spool.listing import State

    if file.state is State.LEFT_BEHIND and file.observations:
        left = f"{file.observations} observations could not be sent, or not be removed"
        return f"{left}: {file.why}" if file.why else left
    return file.why if file.state is State.DAMAGED else ""


async def _drain(settings: "Settings", clients: "Clients") -> int:
    import asyncio
    from random import Random

    from handlers.clock import utc_now
    from receiver.cli.kafka import appending
    from receiver.observability.alarms import Alarms
    from receiver.spool.drain import Drain
    from receiver.spool.spool import Spool

    async with appending(settings, clients) as appender:
        spool = Spool(settings.spool.directory, settings.spool.max_bytes, Alarms(utc_now))
        drain_ = Drain(spool, appender, settings.topics.inbox, Random())  # noqa: S311 - jitter
        try:
            return await asyncio.shield(drain_.drain_orphans())
        finally:
            await spool.close()
