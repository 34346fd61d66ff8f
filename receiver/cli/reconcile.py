"""``payevents reconcile``."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import typer

from config.account import AccountSettings
from config.settings import Settings
from config.types import format_duration
from handlers.clock import rfc3339, utc_now
from receiver.cli.context import accounts_of, fail, handler_of, moment_of, seconds_of
from receiver.cli.kafka import appending, run
from receiver.cli.output import print_json, printable
from receiver.cli.progress import Screen
from receiver.kafka.clients import Clients
from receiver.kafka.following import following
from receiver.watches.reconciliation import Reconciliation, wait
from receiver.watches.registration import Registrar

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""What is earlier is a slip, and would cost a call for each of many windows."""


def reconcile(
    settings: Settings, account: str, since: str, until: str | None, patience: str, *, json: bool
) -> int:
    """Have what was created in a time read again, wait until it is, and return the exit code."""
    span = _span(since, until, utc_now())
    seconds = seconds_of(patience, "--patience")
    try:
        handler = handler_of(accounts_of(settings), account)
        asked = Reconciliation(account, handler.reconciliation(*span))
    except ValueError as error:
        raise fail(str(error)) from None
    say = _nothing if json else typer.echo
    is_complete = is_interrupted = False
    try:
        with ExitStack() as shown:
            tell = _no_progress if json else shown.enter_context(Screen()).step("windows read")
            telling = _Telling(partial(say, announcement(asked, handler.account)), tell)
            is_complete = run(settings, partial(_ask_and_wait, settings, asked, seconds, telling))
    except (KeyboardInterrupt, asyncio.CancelledError):
        is_interrupted = True
    if json:
        print_json(_report(asked, account, span, is_complete=is_complete))
    if is_complete:
        say("done: all that was found is in the inbox")
        return 0
    _tell_what_is_left(asked, account, is_interrupted=is_interrupted)
    return 1


@dataclass(frozen=True, slots=True)
class _Telling:
    """What people are told: once that it was asked for, then how much is read, of how much."""

    asked: Callable[[], None]
    read: Callable[[int, int], None]


async def _ask_and_wait(
    settings: Settings,
    asked: Reconciliation,
    patience: float,
    telling: _Telling,
    clients: Clients,
) -> bool:
    """Ask for the windows and follow them; return whether all were read. ``patience``: seconds."""
    topics = settings.topics
    async with following(clients, [topics.watchlist], from_beginning=True) as records:
        async with appending(settings, clients) as appender:
            await asked.ask(Registrar(appender, topics.watch_requests))
        telling.asked()
        telling.read(*asked.progress)
        return await wait(
            asked, records, patience=patience, tell=lambda: telling.read(*asked.progress)
        )


def announcement(asked: Reconciliation, account: AccountSettings) -> str:
    """Return what was asked for, how many calls it takes, and how long these take at least."""
    count = len(asked.windows)
    least = (count - 1) // account.calls * account.calls_per
    time = f"; it takes {format_duration(least)} at least" if least else ""
    return (
        f"asked for {count} windows: a call each, and one for every 100 rows of long ones;"
        f" {account.calls} calls in {format_duration(account.calls_per)} are allowed{time}"
    )


def _nothing(_: str) -> None:
    """Say nothing."""


def _no_progress(_done: int, _of: int) -> None:
    """Show nothing."""


def _span(since: str, until: str | None, now: datetime) -> tuple[datetime, datetime]:
    """Return the time to look at.

    Raises:
        BadParameter: it cannot be read, or ends before it begins.
    """
    begin = moment_of(since, now, "--since")
    end = now if until is None else min(now, moment_of(until, now, "--until", end=True))
    if not _EARLIEST <= begin < end:
        raise typer.BadParameter(
            f"from {rfc3339(begin)} to {rfc3339(end)} there is nothing to read: --since is a time"
            f" after {rfc3339(_EARLIEST)}, before now and before --until",
            param_hint="--since",
        )
    return begin, end


def _report(
    asked: Reconciliation, account: str, span: tuple[datetime, datetime], *, is_complete: bool
) -> dict[str, object]:
    left = asked.left
    since, until = span
    return {
        "account": account,
        "since": rfc3339(since),
        "until": rfc3339(until),
        "complete": is_complete,
        "windows": [
            {"key": key, "read": key not in left, "error": left.get(key)} for key in asked.windows
        ],
    }


def _tell_what_is_left(asked: Reconciliation, account: str, *, is_interrupted: bool) -> None:
    """Say on standard error what is left, why, and what becomes of it."""
    left = asked.left
    for key, error in left.items():
        if error is not None:
            typer.echo(printable(f"error: {key}: {error}"), err=True)
    if is_interrupted:
        why = "interrupted"
    elif asked.is_taken_up:
        why = f"what is left cannot be read now: {asked.trouble}"
    else:
        why = "no running poller has taken it up: look at 'payevents serve' and its /readyz"
    what = (
        f"error: {why}; {len(left)} of {len(asked.windows)} windows are left. What was asked for"
        " stays so, and the service reads it when it can: see 'payevents watches list --account"
        f" {account}'"
    )
    typer.echo(printable(what), err=True)
