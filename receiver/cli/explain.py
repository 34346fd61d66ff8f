"""``payevents explain``."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import typer

from config.settings import Settings
from handlers.clock import utc_now
from receiver.accounts.providers import installed_providers
from receiver.accounts.registry import Accounts
from receiver.cli.context import fail
from receiver.cli.kafka import run
from receiver.cli.output import one_line, print_json
from receiver.cli.progress import Progress
from receiver.explaining.as_json import as_json
from receiver.explaining.gathering import Gatherer
from receiver.explaining.question import (
    Explanation,
    Whereabouts,
    explain,
    possible_subjects,
    subjects_of_body,
    whereabouts,
)
from receiver.explaining.subject import BadSubject, Subject
from receiver.explaining.telling import lines
from receiver.kafka.clients import Clients
from receiver.moments import moment_from


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a subject or the file with a body, at one account or any, since when."""

    subject: str | None
    body: Path | None
    account: str | None
    since: str | None


def answer(settings: Settings, question: Question, *, json: bool) -> int:
    """Print the stories; return the exit code, which is 1 where nothing is known."""
    accounts = Accounts(installed_providers())
    accounts.replace(settings.accounts)
    body = None if question.body is None else _read(question.body)
    subjects = _subjects(question, body, accounts)
    since = None if question.since is None else _moment(question.since)
    progress = Progress("reading the inbox")

    async def work(clients: Clients) -> Explanation:
        gatherer = Gatherer(clients, settings.topics, accounts, since=since, progress=progress)
        try:
            return await explain(gatherer, subjects, Path(settings.spool.directory))
        finally:
            progress.end()

    explanation = run(settings, work)
    found = None if body is None else whereabouts(explanation, body)
    if json:
        _print_json(explanation, found)
    else:
        _print(explanation, found, question)
    return 0 if (explanation.stories if found is None else found.arrived) else 1


def _subjects(question: Question, body: bytes | None, accounts: Accounts) -> list[Subject]:
    if question.subject is not None:
        providers = installed_providers().keys()
        try:
            return possible_subjects(question.subject, accounts, providers, question.account)
        except BadSubject as error:
            raise typer.BadParameter(str(error)) from None
    subjects = subjects_of_body(body or b"", accounts, question.account)
    if not subjects:
        who = "account" if question.account is None else f"account {question.account!r}"
        raise fail(f"there is no {who} in the configuration")
    return subjects


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise fail(str(error)) from None


def _moment(text: str) -> datetime:
    try:
        return moment_from(text, utc_now())
    except ValueError as error:
        raise typer.BadParameter(f"since: {error}") from None


def _print_json(explanation: Explanation, found: Whereabouts | None) -> None:
    told: dict[str, object] = {
        "stories": [as_json(story) for story in explanation.stories],
        "spool_files_in_use": explanation.spool.in_use,
        "spool_files_unreadable": explanation.spool.unreadable,
    }
    if found is not None:
        told["body"] = found.as_json()
    print_json(told)


def _print(explanation: Explanation, found: Whereabouts | None, question: Question) -> None:
    if found is not None:
        typer.echo(f"{_told(found)}\n")
    for number, story in enumerate(explanation.stories):
        if number:
            typer.echo()
        for line in lines(story):
            typer.echo(one_line(line))
    if not explanation.stories and question.subject is not None:
        typer.echo(f"nothing is known of {one_line(question.subject)}")
    if not (explanation.stories if found is None else found.arrived):
        for file in explanation.spool.in_use:
            typer.echo(f"note: a process uses spool file {file}: not looked into", err=True)
    for why in explanation.spool.unreadable:
        typer.echo(one_line(f"warning: a spool file cannot be read: {why}"), err=True)


def _told(found: Whereabouts) -> str:
    if not found.arrived:
        return (
            f"these bytes never arrived here: sha256 {found.sha256} is not in the inbox, the dead"
            " letters, the evidence of any event, or this host's spool"
        )
    places = [f"inbox {at.partition}/{at.offset}" for at in found.inbox]
    places += [f"dead letter {letter}" for letter in found.letters]
    places += [f"spool file {file}" for file in found.spool]
    return f"these bytes, sha256 {found.sha256}, are here: {', '.join(places)}"
