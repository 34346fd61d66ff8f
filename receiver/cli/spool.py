"""``payevents spool``."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from receiver.cli.context import ConfigOption, JsonOption, load_settings

if TYPE_CHECKING:
    from config.settings import Settings
    from receiver.kafka.clients import Clients

app = typer.Typer(help="What waits on this machine's disk for Kafka.")


@app.command()
def status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show the spool files of this machine: whose they are, and how much waits in them."""
    from receiver.cli.output import print_json, print_table
    from receiver.spool.listing import listed

    settings = load_settings(config)
    rows = [file.as_json() for file in listed(Path(settings.spool.directory))]
    if json:
        print_json({"directory": str(settings.spool.directory), "files": rows})
        return
    print_table(rows, ["file", "state", "observations", "bytes", "why"], "nothing is spooled")


@app.command()
def drain(config: ConfigOption = None) -> None:
    """Send what dead processes left behind to Kafka; those that live drain their own."""
    from receiver.cli.kafka import run

    settings = load_settings(config)
    count = run(settings, lambda clients: _drain(settings, clients))
    typer.echo(f"{count} observations drained")


async def _drain(settings: "Settings", clients: "Clients") -> int:
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
