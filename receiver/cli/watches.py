"""``payevents watches``."""

from typing import TYPE_CHECKING, Annotated

import typer

from receiver.cli.context import ConfigOption, JsonOption, fail, load_settings

if TYPE_CHECKING:
    from config.settings import Settings
    from handlers.provider import Watch
    from receiver.accounts.registry import Accounts

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
    from receiver.watches.registration import Malformed, UnknownAccount, requested_watch

    settings = load_settings(config)
    try:
        watch = requested_watch(_accounts(settings), {"account": account, "kind": kind, "id": id})
    except (Malformed, UnknownAccount, ValueError) as error:
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
    watchlist = settings.topics.watchlist
    watches = run(settings, lambda clients: list_watches(clients, watchlist, account))
    rows = [watch.as_json() for watch in watches]
    if json:
        print_json({"watches": rows})
        return
    columns = ["key", "status", "state", "last_polled_at", "next_poll_at", "error"]
    print_table(rows, columns, "there are no watches")


def _accounts(settings: "Settings") -> "Accounts":
    from receiver.accounts.providers import installed_providers
    from receiver.accounts.registry import Accounts

    accounts = Accounts(installed_providers())
    accounts.replace(settings.accounts)
    return accounts


def _send(settings: "Settings", watch: "Watch", *, start: bool) -> None:
    from receiver.cli.kafka import appending, run
    from receiver.kafka.clients import Clients
    from receiver.watches.registration import Registrar

    async def send(clients: Clients) -> None:
        async with appending(settings, clients) as appender:
            registrar = Registrar(appender, settings.topics.watch_requests)
            await (registrar.start(watch) if start else registrar.stop(watch))

    run(settings, send)


def _tell(watch: "Watch", what: str, *, json: bool) -> None:
    from receiver.cli.output import print_json

    if json:
        print_json({"key": watch.key})
    else:
        typer.echo(f"{watch.key} {what}; a running poller takes it up")
