"""The command line: one small function a subcommand, each importing what it needs when it runs."""

from typing import Annotated

import typer

from receiver.cli.context import ConfigOption, load_settings

app = typer.Typer(
    name="payevents",
    help="A payment event router: SmartPay, Subscriply and Voucherry in, exactly-once events out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command."""
    app()


@app.command()
def serve(
    config: ConfigOption = None,
    roles: Annotated[
        str, typer.Option(help="What this process does: receive, route, poll, with commas between.")
    ] = "receive,route,poll",
) -> None:
    """Receive, route and poll, until SIGTERM or Ctrl-C."""
    from receiver.cli.serve import run

    raise typer.Exit(run(load_settings(config, strict_accounts_dir=False), roles))


@app.command("check-config")
def check_config(config: ConfigOption = None) -> None:
    """Name every mistake in the configuration, and what should be known about it."""
    settings = load_settings(config)
    for warning in settings.warnings():
        typer.echo(f"warning: {warning}", err=True)
    if settings.accounts:
        typer.echo(
            "note: an account's name is part of every event's id: renaming one publishes all its"
            " events anew"
        )
    typer.echo(f"the configuration is right: {len(settings.accounts)} accounts")


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
