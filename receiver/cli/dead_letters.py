"""``payevents dead-letters``."""

from typing import TYPE_CHECKING, Annotated

import typer

from receiver.cli.context import ConfigOption, JsonOption, fail, load_settings

if TYPE_CHECKING:
    from config.settings import Settings
    from receiver.dead_letters import Redriven
    from receiver.kafka.clients import Clients
    from receiver.kafka.snapshot import Row

app = typer.Typer(help="What could not become events: see why, and try it again.")


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show the dead letters and their reasons, the latest last."""
    from receiver.cli.kafka import run
    from receiver.cli.output import print_json, print_table
    from receiver.dead_letters import list_letters

    settings = load_settings(config)
    letters = run(settings, lambda clients: list_letters(clients, settings.topics, account))
    rows = [letter.as_json() for letter in letters]
    if json:
        print_json({"dead_letters": rows})
        return
    columns = ["id", "account", "topic", "reason", "count", "last_at", "detail"]
    print_table(rows, columns, "there are no dead letters")


@app.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="The letter's id.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show one letter with its body, which may hold personal data."""
    from receiver.cli.kafka import run
    from receiver.cli.output import print_json, printable
    from receiver.dead_letters import DeadLetter, read_letters

    settings = load_settings(config)
    rows = run(settings, lambda clients: read_letters(clients, settings.topics, [letter]))
    row = rows.get(letter)
    if row is None:
        raise fail(f"there is no dead letter {letter}; see 'payevents dead-letters list'")
    told = {**DeadLetter.of(row).as_json(), "headers": _headers(row), "body": _body(row)}
    if json:
        print_json(told)
        return
    for name, value in told.items():
        if name not in {"headers", "body"}:
            typer.echo(printable(f"{name.replace('_', ' ')}: {value}"))
    typer.echo(printable(f"\n{told['body']}"))


@app.command("redrive")
def redrive_(
    letters: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="The letters' ids.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every letter.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Send letters through the inbox again; each goes once it has become events."""
    from receiver.cli.output import print_json

    if bool(letters) == every:
        raise typer.BadParameter("name the letters, or give --all")
    settings = load_settings(config)
    outcome = _redrive(settings, None if every else letters)
    if json:
        print_json({"redriven": outcome.sent, "refused": outcome.refused})
    else:
        typer.echo(f"sent through the inbox again: {len(outcome.sent)}")
    for letter_id, why in outcome.refused.items():
        typer.echo(f"error: {letter_id}: {why}", err=True)
    if outcome.refused:
        raise typer.Exit(1)


def _redrive(settings: "Settings", ids: list[str] | None) -> "Redriven":
    from receiver.cli.kafka import appending, run
    from receiver.dead_letters import list_letters, redrive

    async def work(clients: "Clients") -> "Redriven":
        async with appending(settings, clients) as appender:
            topics = settings.topics
            wanted = ids or [letter.id for letter in await list_letters(clients, topics)]
            return await redrive(clients, appender, topics, wanted)

    return run(settings, work)


def _headers(row: "Row") -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in row.headers}


def _body(row: "Row") -> str:
    return row.value.decode(errors="backslashreplace")
