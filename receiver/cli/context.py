"""What the subcommands share: reading the configuration, and saying what is wrong with it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from config.settings import Settings
    from handlers.provider import Handler
    from receiver.accounts.registry import Accounts

_USAGE = 2
"""The exit code of what was called wrongly."""

_MOST_NAMED = 5

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
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


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


def accounts_of(settings: "Settings") -> "Accounts":
    """Return the accounts of the configuration, each with its provider's knowledge."""
    from receiver.accounts.providers import installed_providers
    from receiver.accounts.registry import Accounts

    accounts = Accounts(installed_providers())
    accounts.replace(settings.accounts)
    return accounts


def seconds_of(text: str, option: str) -> float:
    """Return the seconds of a duration that was given as ``option``, such as "30s".

    Raises:
        BadParameter: it is none.
    """
    from config.types import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def moment_of(text: str, now: "datetime", option: str, *, end: bool = False) -> "datetime":
    """Return the moment that was given as ``option``; with ``end``, a date is its last moment.

    Raises:
        BadParameter: it is none.
    """
    from receiver.moments import moment_from

    try:
        return moment_from(text, now, end=end)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def fail(message: str, code: int = 1) -> typer.Exit:
    """Print ``message`` to standard error; return what to raise."""
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(code)


def handler_of(accounts: "Accounts", name: str) -> "Handler":
    """Return the handler of an account, or end the command naming those that there are."""
    handler = accounts.get(name)
    if handler is None:
        names = [handler.account.name for handler in accounts]
        raise fail(unknown_account(name, names), _USAGE)
    return handler


def unknown_account(name: str, configured: "Iterable[str]") -> str:
    """Return that there is no such account in the configuration, and which was perhaps meant."""
    from config.problems import nearest
    from receiver.watches.registration import UnknownAccount
    from receiver.words import listed

    names = sorted(configured)
    near = nearest(name, names)
    if near is not None:
        known = f"did you mean {near!r}?"
    elif names:
        known = f"known are {listed(names, _MOST_NAMED)}"
    else:
        known = "none is configured: give --config"
    return f"{UnknownAccount(name)}; {known}"
