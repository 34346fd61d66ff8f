"""``payevents webhooks``."""

from typing import TYPE_CHECKING, Annotated

import typer

from receiver.cli.context import ConfigOption, JsonOption, load_settings, seconds_of

if TYPE_CHECKING:
    from receiver.cli.ordering import Wanted

app = typer.Typer(help="The registration of our webhooks at a provider: see, mend and test it.")

AccountOption = Annotated[str, typer.Option(help="The account's name.")]
PatienceOption = Annotated[
    str, typer.Option(metavar="DURATION", help="How long to wait while nothing is done.")
]
TopicOption = Annotated[
    list[str] | None, typer.Option("--topic", help="Only this topic; may be given again.")
]


@app.command("list")
def list_(
    account: AccountOption,
    patience: PatienceOption = "2m",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what is registered at the provider, and what proves that it works.

    The running poller asks the provider, within the account's budget of calls.
    """
    from receiver.cli.subscriptions import show_list

    wanted = _wanted(account, "list", patience)
    raise typer.Exit(show_list(load_settings(config), wanted, json=json))


@app.command()
def ensure(
    account: AccountOption,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be changed, and change nothing.")
    ] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Move here what another has, too.")
    ] = False,
    recreate: Annotated[
        bool, typer.Option("--recreate", help="Delete and create ours anew, which enables them.")
    ] = False,
    topic: TopicOption = None,
    patience: PatienceOption = "2m",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Have every topic registered to lead here, and see that it does.

    Ends with 1 if something stood in the way.
    """
    from receiver.cli.subscriptions import ensure as run

    wanted = _wanted(account, "ensure", patience, topic, take_over=take_over, recreate=recreate)
    raise typer.Exit(run(load_settings(config), wanted, dry_run=dry_run, json=json))


@app.command("test")
def probe(
    account: AccountOption,
    topic: TopicOption = None,
    patience: PatienceOption = "2m",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Have the provider call us, and see that it arrives.

    A test notification is asked for; where there is none, what is registered is registered again
    with the same URL, which makes the provider call it. Ends with 1 if something did not arrive.
    """
    from receiver.cli.subscriptions import probe as run

    wanted = _wanted(account, "test", patience, topic)
    raise typer.Exit(run(load_settings(config), wanted, json=json))


def _wanted(
    account: str,
    what: str,
    patience: str,
    topics: list[str] | None = None,
    *,
    take_over: bool = False,
    recreate: bool = False,
) -> "Wanted":
    from receiver.cli.ordering import Wanted

    seconds = seconds_of(patience, "--patience")
    chosen = tuple(dict.fromkeys(topics or ()))
    return Wanted(account, what, seconds, chosen, take_over=take_over, recreate=recreate)
