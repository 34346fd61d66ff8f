"""The command line: one small function a subcommand, each importing what it needs when it runs."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from receiver.cli import dead_letters, schema, spool, topics, watches, webhooks
from receiver.cli.context import ConfigOption, JsonOption, load_settings
from receiver.cli.group import Group
from receiver.words import counted

app = typer.Typer(
    name="payevents",
    help="A payment event router: SmartPay, Subscriply and Voucherry in, exactly-once events out.",
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(topics.app, name="topics", cls=Group, no_args_is_help=True)
app.add_typer(watches.app, name="watches", cls=Group, no_args_is_help=True)
app.add_typer(webhooks.app, name="webhooks", cls=Group, no_args_is_help=True)
app.add_typer(dead_letters.app, name="dead-letters", cls=Group, no_args_is_help=True)
app.add_typer(spool.app, name="spool", cls=Group, no_args_is_help=True)
app.add_typer(schema.app, name="schema", cls=Group, no_args_is_help=True)


def main() -> None:
    """Run the command."""
    app()


def _print_version(wanted: bool) -> None:
    if wanted:
        from receiver.observability.version import own_version

        typer.echo(f"payevents {own_version()}")
        raise typer.Exit


@app.callback()
def payevents(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Say which version this is."
        ),
    ] = False,
) -> None:
    """Take what concerns the command as a whole."""


@app.command()
def serve(
    config: ConfigOption = None,
    roles: Annotated[
        str, typer.Option(help="What this process does: receive, route, poll, with commas between.")
    ] = "receive,route,poll",
    workers: Annotated[
        str,
        typer.Option(metavar="N", help="How many processes share the work; auto is one a CPU."),
    ] = "1",
) -> None:
    """Receive, route and poll, until SIGTERM or Ctrl-C."""
    # What is imported and made until it serves stays: there is nothing to collect before.
    gc.disable()
    from receiver.cli.serve import run

    settings = load_settings(config, strict_accounts_dir=False)
    raise typer.Exit(run(settings, roles, workers, config))


@app.command()
def demo(
    seconds: Annotated[
        float | None,
        typer.Option(min=0, help="End by itself after so long; the story takes some 15 seconds."),
    ] = None,
    kafka_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="The port of the embedded broker; else a free one."),
    ] = None,
    bootstrap_servers: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Use this Kafka instead of the embedded broker."),
    ] = None,
) -> None:
    """Show the main job running: sandboxes in, events out, no account needed."""
    from receiver.cli.demo import run
    from receiver.demo.run import DemoOptions

    if kafka_port is not None and bootstrap_servers is not None:
        told = "give --kafka-port, for the embedded broker, or --bootstrap-servers, not both"
        raise typer.BadParameter(told)
    raise typer.Exit(run(DemoOptions(seconds, kafka_port, bootstrap_servers)))


@app.command("check-config")
def check_config(config: ConfigOption = None) -> None:
    """Name every mistake in the configuration, and what should be known about it.

    Neither Kafka nor a disk is looked at: that is what doctor does.
    """
    settings = load_settings(config)
    if config is None:
        told = "no file was read: give --config or set PAYEVENTS_CONFIG"
        typer.echo(f"warning: {told}", err=True)
    for warning in settings.warnings():
        typer.echo(f"warning: {warning}", err=True)
    if settings.accounts:
        typer.echo(
            "note: an account's name is part of every event's id: renaming one publishes all its"
            " events anew"
        )
    source = "the environment" if config is None else config
    accounts = counted(len(settings.accounts), "account")
    typer.echo(f"the configuration is right ({source}): {accounts}")


@app.command()
def doctor(
    account: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Look at this account instead: all that can be checked."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Look for what is wrong, from the configuration to the cluster, and say what to do.

    Ends with 1 if something is wrong.
    """
    from receiver.cli.doctor import run

    raise typer.Exit(run(config, account, json=json))


@app.command()
def tail(
    topic: Annotated[
        list[str] | None, typer.Option(help="Only this topic; may be given again.")
    ] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Start with the oldest event kept.")
    ] = False,
    count: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="End after N events.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print events as they are committed, one a line, until Ctrl-C."""
    from receiver.cli.tail import tail as follow

    settings = load_settings(config)
    follow(settings, topic or [], json=json, from_beginning=from_beginning, count=count)


@app.command()
def reconcile(
    account: Annotated[str, typer.Option(help="The account's name.")],
    since: Annotated[
        str,
        typer.Option(metavar="WHEN", help="From here on: 30d, 2026-01-01 or 2026-01-01T00:00:00Z."),
    ],
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Up to here, written alike; else up to now.")
    ] = None,
    patience: Annotated[
        str,
        typer.Option(metavar="DURATION", help="How long to wait while nothing can be read."),
    ] = "30s",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Read at the provider what was created in a time, and publish what was missed of it."""
    from receiver.cli.reconcile import reconcile as run

    settings = load_settings(config)
    raise typer.Exit(run(settings, account, since, until, patience, json=json))


@app.command()
def explain(
    subject: Annotated[
        str | None,
        typer.Argument(metavar="[SUBJECT]", help="<kind>/<id>, as in an event: invoice/aBc123."),
    ] = None,
    account: Annotated[str | None, typer.Option(help="The account; else all are tried.")] = None,
    body: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A webhook's body, to be traced.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Read the inbox from then on: a date, a time, 2h."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Tell the whole story of one resource, or where the bytes of a webhook went.

    Ends with 1 if nothing is known of it.
    """
    from receiver.cli.explain import Question, answer

    if (subject is None) == (body is None):
        raise typer.BadParameter("give a subject, or --body FILE")
    question = Question(subject, body, account, since)
    raise typer.Exit(answer(load_settings(config), question, json=json))


@app.command()
def sandbox(
    provider: Annotated[str, typer.Argument(help="The provider whose stand-in is served.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where; 0 takes a free port.")] = 0,
    subscribe: Annotated[
        str | None, typer.Option(metavar="URL", help="Where it sends its webhooks, if it has any.")
    ] = None,
) -> None:
    """Serve a provider's stand-in on this machine, and show how to use it."""
    from receiver.cli.sandbox import run

    raise typer.Exit(run(provider, port, subscribe))
