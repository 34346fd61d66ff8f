"""``payevents dead-letters``."""

from typing import TYPE_CHECKING, Annotated

import typer

from receiver.cli.context import (
    ConfigOption,
    JsonOption,
    fail,
    load_settings,
    seconds_of,
    unknown_account,
)

if TYPE_CHECKING:
    from config.settings import Settings
    from receiver.dead_letters.criteria import Criteria
    from receiver.kafka.clients import Clients
    from receiver.kafka.snapshot import Row

app = typer.Typer(help="What could not become events: see why, and try it again.")

_WHEN = "a date, a time or a duration such as 2h"
ReasonOption = Annotated[str | None, typer.Option(help="Only those with this reason.")]
AccountOption = Annotated[str | None, typer.Option(help="Only this account's.")]
OriginOption = Annotated[
    str | None, typer.Option(help="Only what came so: webhook, poll, reconciliation, lookup.")
]
SinceOption = Annotated[
    str | None, typer.Option(metavar="WHEN", help=f"Only what last came since then: {_WHEN}.")
]
UntilOption = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Only what last came until then, alike.")
]


@app.command("list")
def list_(
    reason: ReasonOption = None,
    account: AccountOption = None,
    origin: OriginOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many at most, the latest.")] = 100,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show the dead letters and their reasons, the latest last."""
    from receiver.cli.kafka import run
    from receiver.cli.output import print_json, print_table
    from receiver.dead_letters.finding import list_letters

    settings = load_settings(config)
    wanted = _criteria(reason, account, origin, since, until)
    topic = settings.topics.dead_letters
    listing = run(settings, lambda clients: list_letters(clients, topic, wanted, limit))
    if not listing.letters and account is not None and account not in settings.accounts:
        # Letters of an account outlive it, so that one without any may be meant.
        typer.echo(f"note: {unknown_account(account, settings.accounts)}", err=True)
    if json:
        print_json(listing.as_json())
        return
    rows = [letter.as_json() for letter in listing.letters]
    columns = ["id", "account", "topic", "reason", "count", "last_at", "detail"]
    print_table(rows, columns, "there are no dead letters")
    if listing.more:
        typer.echo(f"{listing.more} earlier ones are not shown: raise --limit, or narrow the list")


@app.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="The letter's id.")],
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the body's bytes alone, unchanged.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show one letter with its body, which may hold personal data."""
    from receiver.cli.kafka import run
    from receiver.cli.output import print_json
    from receiver.dead_letters.letter import shown

    if raw and json:
        raise typer.BadParameter("give --raw or --json")
    settings = load_settings(config)
    row = run(settings, lambda clients: _read(settings, clients, letter))
    if row is None:
        raise fail(f"there is no dead letter {letter}; see 'payevents dead-letters list'")
    if raw:
        typer.get_binary_stream("stdout").write(row.value)
    elif json:
        print_json(shown(row))
    else:
        typer.echo(_told(shown(row), row.value))


@app.command("redrive")
def redrive_(
    letters: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="The letters' ids.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every letter.")] = False,
    reason: ReasonOption = None,
    account: AccountOption = None,
    origin: OriginOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="So many at most, the oldest of them.")
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0.1, metavar="N", help="Send N a second at most.")
    ] = 50.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show which it would be, and send nothing.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="See what becomes of each, and say so.")
    ] = True,
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="Wait so long at most.")] = "30s",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Send letters through the inbox again; each goes once it has become events.

    Ends with 1 if one could not be sent, failed again, or was not routed.
    """
    from dataclasses import replace

    from receiver.cli.redrive import Plan, redrive
    from receiver.dead_letters.criteria import Criteria

    wanted = _criteria(reason, account, origin, since, until)
    if sum([bool(letters), every, wanted != Criteria()]) != 1:
        raise typer.BadParameter("name the letters, or give filters, or --all: one of these")
    if letters:
        wanted = replace(wanted, ids=frozenset(letters))
    seconds = seconds_of(timeout, "--timeout")
    plan = Plan(wanted, limit, rate, seconds if wait else None)
    raise typer.Exit(redrive(load_settings(config), plan, dry_run=dry_run, json=json))


def _criteria(
    reason: str | None,
    account: str | None,
    origin: str | None,
    since: str | None,
    until: str | None,
) -> "Criteria":
    from handlers.clock import utc_now
    from receiver.dead_letters.criteria import BadCriterion, criteria_from

    given = {"reason": reason, "account": account, "origin": origin}
    try:
        return criteria_from({**given, "since": since, "until": until}, utc_now())
    except BadCriterion as error:
        raise typer.BadParameter(str(error)) from None


async def _read(settings: "Settings", clients: "Clients", letter: str) -> "Row | None":
    from receiver.dead_letters.criteria import Criteria
    from receiver.dead_letters.finding import find_letters, read_letters

    topic = settings.topics.dead_letters
    found = await find_letters(clients, topic, Criteria(ids=frozenset([letter])))
    rows = [row async for row in read_letters(clients, topic, found)]
    return rows[0] if rows else None


def _told(letter: dict[str, object], body: bytes) -> str:
    """Return a letter in lines for people: what it says, its headers, its body."""
    from receiver.cli.output import one_line, printable

    apart = {"headers", "body", "body_base64"}
    lines = [
        f"{name.replace('_', ' ')}: {one_line(str(value))}"
        for name, value in letter.items()
        if name not in apart
    ]
    headers = letter["headers"]
    assert isinstance(headers, list)  # noqa: S101 - told to the type checker
    lines += ["headers:", *(f"  {one_line(f'{name}: {value}')}" for name, value in headers)]
    return "\n".join([*lines, "", printable(body.decode(errors="backslashreplace"))])
