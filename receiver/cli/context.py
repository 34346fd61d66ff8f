"""What the subcommands share: reading the configuration, and saying what is wrong with it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from config.settings import Settings

ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        envvar="PAYEVENTS_CONFIG",
        help="The TOML file with the configuration.",
    ),
]
JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of a table.")
]


def load_settings(path: Path | None, *, strict_accounts_dir: bool = True) -> "Settings":
    """Return the settings, or end the command with every mistake in them on standard error."""
    from config.loading import load
    from config.problems import ConfigError
    from receiver.accounts.providers import installed_providers

    models = {name: provider.settings for name, provider in installed_providers().items()}
    try:
        return load(path, os.environ, models, strict_accounts_dir=strict_accounts_dir)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from None


def fail(message: str) -> typer.Exit:
    """Print ``message`` to standard error; return what to raise."""
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(1)
