"""``payevents explain``."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import typer
from aiokafka.errors import KafkaError

from config.settings import Settings
from handlers.clock import utc_now
from receiver.accounts.providers import installed_providers
from receiver.accounts.registry import Accounts
from receiver.cli.context import accounts_of, fail, handler_of, moment_of
from receiver.cli.kafka import run
from receiver.cli.output import one_line, print_json
from receiver.cli.progress import Screen
from receiver.explaining.as_json import as_json, spool_as_json
from receiver.explaining.gathering import Gatherer
from receiver.explaining.question import (
    Explanation,
    NoAccount,
    Whereabouts,
    explain,
    possible_subjects,
    spooled_of,
    subjects_of_body,
    whereabouts,
)
from receiver.explaining.spooled import SpoolSearch
from receiver.explaining.subject import BadSubject, Subject
from receiver.explaining.telling import lines, told_spooled
from receiver.failures import without_path
from receiver.kafka.clients import Clients
from receiver.kafka.reading import NoSuchTopic


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a subject or the file with a body, at one account or any, since when."""

    subject: str | None
    body: Path | None
    account: str | None
    since: str | None


def answer(settings: Settings, question: Question, *, json: bool) -> int:
    """Print the stories; return the exit code, which is 1 where nothing is known."""
    accounts = accounts_of(settings)
    body = None if question.body is None else _read(question.body)
    subjects = _subjects(question, body, accounts)
    since = None if question.since is None else moment_of(question.since, utc_now(), "--since")

    async def work(clients: Clients) -> Explanation:
        search = await spooled_of(subjects, Path(settings.spool.directory))
        try:
            with Screen(transient=True) as screen:
                progress = screen.step("reading the inbox")
                gatherer = Gatherer(
                    clients, settings.topics, accounts, since=since, progress=progress
                )
                return await explain(gatherer, subjects, search)
        except (NoSuchTopic, KafkaError, OSError, TimeoutError):
            # What waits for Kafka is there all the same, and asked for just then.
            _tell_spooled(search, body, json=json)
            raise

    explanation = run(settings, work)
    found = None if body is None else whereabouts(explanation, body)
    if json:
        _print_json(explanation, found)
    else:
        _print(explanation, found, question)
    is_known = bool(explanation.stories if found is None else found.arrived)
    _warn(explanation, accounts, is_known=is_known)
    return 0 if is_known else 1


def _tell_spooled(search: SpoolSearch, body: bytes | None, *, json: bool) -> None:
    """Print what the spool alone tells of the subjects, or of these very bytes."""
    digest = None if body is None else sha256(body).hexdigest()
    if digest is not None:
        search = search.of_bytes(digest)
    if json:
        print_json({"spooled": spool_as_json(search), **_unsearched(search)})
    else:
        for key, found in search.found.items():
            typer.echo(one_line(key.decode()))
            for spooled in found:
                typer.echo(one_line(f"  {told_spooled(spooled)}"))
        if not search.found:
            what = "nothing of it" if digest is None else f"nothing with sha256 {digest}"
            typer.echo(f"{what} is in what could be read of this host's spool")
    _warn_of_spool(search, is_known=bool(search.found))


def _subjects(question: Question, body: bytes | None, accounts: Accounts) -> list[Subject]:
    nothing = "no account is configured, so nothing was searched: give --config"
    try:
        if question.subject is None:
            if question.account is not None and len(accounts):
                handler_of(accounts, question.account)
            return subjects_of_body(body or b"", accounts, question.account)
        providers = installed_providers().keys()
        return possible_subjects(question.subject, accounts, providers, question.account)
    except BadSubject as error:
        raise typer.BadParameter(str(error), param_hint="SUBJECT") from None
    except NoAccount:
        # Of a body only a configured account can tell whom it is about.
        raise fail(nothing if question.subject is None else f"{nothing}, or --account") from None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise fail(f"{file}: {without_path(error)}") from None


def _print_json(explanation: Explanation, found: Whereabouts | None) -> None:
    told: dict[str, object] = {
        "stories": [as_json(story) for story in explanation.stories],
        "searched": explanation.searched,
        **_unsearched(explanation.spool),
    }
    if found is not None:
        told["body"] = found.as_json()
    print_json(told)


def _unsearched(search: SpoolSearch) -> dict[str, object]:
    return {
        "spool_files_in_use": search.in_use,
        "spool_files_unreadable": search.unreadable,
    }


def _print(explanation: Explanation, found: Whereabouts | None, question: Question) -> None:
    if found is not None:
        typer.echo(f"{_told(found, explanation)}\n")
    for number, story in enumerate(explanation.stories):
        if number:
            typer.echo()
        for line in lines(story):
            typer.echo(one_line(line))
    if not explanation.stories and question.subject is not None:
        told = f"nothing is known of {question.subject} {_searched(explanation)}"
        typer.echo(one_line(told))


def _warn(explanation: Explanation, accounts: Accounts, *, is_known: bool) -> None:
    """Say on standard error what was not searched, where that may be why nothing was found."""
    if not is_known:
        for name in explanation.searched:
            if accounts.get(name) is None:
                told = f"note: account {name!r} is not in the configuration;"
                typer.echo(f"{told} it was looked for at every provider", err=True)
    _warn_of_spool(explanation.spool, is_known=is_known)


def _warn_of_spool(search: SpoolSearch, *, is_known: bool) -> None:
    if not is_known:
        for file in search.in_use:
            told = f"note: a process uses spool file {file}: not looked into"
            typer.echo(one_line(told), err=True)
    for why in search.unreadable:
        typer.echo(one_line(f"warning: the spool cannot be read: {why}"), err=True)


def _searched(explanation: Explanation) -> str:
    return f"(searched: {', '.join(explanation.searched)})"


def _told(found: Whereabouts, explanation: Explanation) -> str:
    if not found.arrived:
        spool = explanation.spool
        is_whole = not (spool.in_use or spool.unreadable)
        verdict = "never arrived here" if is_whole else "were not found"
        where = "this host's spool" if is_whole else "what of this host's spool could be read"
        return (
            f"these bytes {verdict}: sha256 {found.sha256} is not in the inbox, the dead"
            f" letters, the evidence of any event, or {where} {_searched(explanation)}"
        )
    places = [f"inbox {at.partition}/{at.offset}" for at in found.inbox]
    places += [f"dead letter {letter}" for letter in found.letters]
    places += [f"spool file {file}" for file in found.spool]
    return f"these bytes, sha256 {found.sha256}, are here: {', '.join(places)}"
