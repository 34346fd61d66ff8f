"""``payevents watches``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from receiver.cli.context import (
    ConfigOption,
    JsonOption,
    accounts_of,
    fail,
    handler_of,
    load_settings,
)

if TYPE_CHECKING:
    from config.settings import Settings
    from handlers.provider import Watch
    from receiver.kafka.clients import Clients
    from receiver.watches.transfer import KeptWatch

app = typer.Typer(help="What is polled: see it, ask for more, or for less.")

AccountArgument = Annotated[str, typer.Argument(help="The account's name.")]
KindArgument = Annotated[str, typer.Argument(help="The provider's word, as cherries_requests.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The resource's id.")]


@app.command()
def add(
    account: AccountArgument,
    kind: KindArgument,
    id: IdArgument,  # noqa: A002 - the public API's word
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Have a resource polled until it reaches its final state."""
    from receiver.watches.registration import Malformed, requested_watch

    settings = load_settings(config)
    accounts = accounts_of(settings)
    handler_of(accounts, account)
    try:
        watch = requested_watch(accounts, {"account": account, "kind": kind, "id": id})
    except (Malformed, ValueError) as error:
        raise fail(str(error)) from None
    _send(settings, watch, start=True)
    _tell(watch, "is asked for", json=json)


@app.command()
def remove(
    account: AccountArgument,
    kind: KindArgument,
    id: IdArgument,  # noqa: A002 - the public API's word
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Have a resource polled no more."""
    from handlers.provider import Watch
    from receiver.cli.kafka import run
    from receiver.watches.listing import is_listed

    settings = load_settings(config)
    watch = Watch(account, kind, id)
    watchlist = settings.topics.watchlist
    if not run(settings, lambda clients: is_listed(clients, watchlist, watch)):
        raise fail(f"there is no watch {watch.key}; see 'payevents watches list'")
    _send(settings, watch, start=False)
    _tell(watch, "is to end", json=json)


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show the watches: what each last showed, and when it is looked at next."""
    from receiver.cli.kafka import run
    from receiver.cli.output import print_json, print_table
    from receiver.watches.listing import list_watches

    settings = load_settings(config)
    if account is not None:
        handler_of(accounts_of(settings), account)
    watchlist = settings.topics.watchlist
    watches = run(settings, lambda clients: list_watches(clients, watchlist, account))
    rows = [watch.as_json() for watch in watches]
    if json:
        print_json({"watches": rows})
        return
    columns = ["key", "status", "state", "last_polled_at", "next_poll_at", "error"]
    print_table(rows, columns, "there are no watches")


@app.command()
def export(
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    config: ConfigOption = None,
) -> None:
    """Write the registered watches as lines of JSON, for 'payevents watches import'."""
    from handlers.clock import utc_now
    from receiver.cli.kafka import run
    from receiver.watches.transfer import kept_watches, to_lines

    settings = load_settings(config)
    accounts, watchlist = accounts_of(settings), settings.topics.watchlist
    watches = run(settings, lambda clients: kept_watches(clients, watchlist, accounts, account))
    for line in to_lines(watches, utc_now()):
        typer.echo(line)


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What export wrote; - reads standard input.")
    ],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Have every watch of an exported file polled; those that are known go on as they are."""
    from receiver.cli.output import print_json, printable
    from receiver.failures import without_path
    from receiver.watches.transfer import NotAnExport, from_lines

    settings = load_settings(config)
    try:
        taken, refused = from_lines(_lines(file), accounts_of(settings))
    except (NotAnExport, OSError) as error:
        raise fail(f"{file}: {without_path(error)}") from None
    _start_all(settings, taken)
    if json:
        print_json(
            {
                "started": [kept.watch.key for kept in taken],
                "refused": [{"line": line.line, "why": line.why} for line in refused],
            }
        )
    else:
        typer.echo(f"watches asked for: {len(taken)}; a running poller takes them up")
    for line in refused:
        typer.echo(printable(f"error: line {line.line}: {line.why}"), err=True)
    if refused:
        raise typer.Exit(1)


def _send(settings: "Settings", watch: "Watch", *, start: bool) -> None:
    from receiver.cli.kafka import appending, run
    from receiver.kafka.clients import Clients
    from receiver.watches.registration import Registrar

    async def send(clients: Clients) -> None:
        async with appending(settings, clients) as appender:
            registrar = Registrar(appender, settings.topics.watch_requests)
            await (registrar.start(watch) if start else registrar.stop(watch))

    run(settings, send)


def _lines(file: Path) -> Sequence[bytes]:
    import sys

    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    return content.splitlines()


def _start_all(settings: "Settings", watches: "Sequence[KeptWatch]") -> None:
    from receiver.cli.kafka import appending, run
    from receiver.watches.registration import Registrar

    async def send(clients: "Clients") -> None:
        async with appending(settings, clients) as appender:
            registrar = Registrar(appender, settings.topics.watch_requests)
            for kept in watches:
                await registrar.start(kept.watch, kept.since)

    run(settings, send)


def _tell(watch: "Watch", what: str, *, json: bool) -> None:
    from receiver.cli.output import print_json

    if json:
        print_json({"key": watch.key})
    else:
        typer.echo(f"{watch.key} {what}; a running poller takes it up")
