"""From a question, about a resource or about the bytes of a webhook, to its stories."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import msgspec

from handlers.observation import Position
from receiver.accounts.registry import Accounts
from receiver.explaining.gathering import Gatherer
from receiver.explaining.spooled import SpoolSearch, search_spool
from receiver.explaining.story import Story, positions_of, tell
from receiver.explaining.subject import Subject, subject_of, subjects_named
from receiver.watches.registration import UnknownAccount


class NoAccount(Exception):
    """There is no account at which anything could be searched."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The stories, which accounts were searched, and what of this host's spool could not be."""

    stories: Sequence[Story]
    searched: Sequence[str]
    spool: SpoolSearch


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where bytes are: in the inbox, in dead letters by id, in spool files by name."""

    sha256: str
    inbox: Sequence[Position]
    letters: Sequence[str]
    spool: Sequence[str]

    @property
    def arrived(self) -> bool:
        """Tell whether they are, or were, anywhere."""
        return bool(self.inbox or self.letters or self.spool)

    def as_json(self) -> dict[str, object]:
        """Return it as the command prints it."""
        shown: dict[str, object] = msgspec.to_builtins(self)
        return shown


def possible_subjects(
    text: str, accounts: Accounts, providers: Collection[str], account: str | None = None
) -> list[Subject]:
    """Return whom ``text`` can mean, at ``account`` or at any that is configured.

    An account that is not, or no longer, configured may have told something all the same: it can
    be at any of ``providers``.

    Raises:
        BadSubject: it names no resource.
        NoAccount: none is configured, and none is named.
    """
    owners = [(handler.account.provider, handler.account.name) for handler in accounts]
    if account is not None:
        owners = [owner for owner in owners if owner[1] == account]
        owners = owners or [(provider, account) for provider in providers]
    if not owners:
        raise NoAccount
    return subjects_named(text, owners)


def subjects_of_body(body: bytes, accounts: Accounts, account: str | None = None) -> list[Subject]:
    """Return whom a webhook's body is about, at ``account`` or at any that is configured.

    Raises:
        NoAccount: none is configured.
        UnknownAccount: others are, but not ``account``.
    """
    if len(accounts) == 0:
        raise NoAccount
    if account is not None and accounts.get(account) is None:
        raise UnknownAccount(account)
    handlers = [handler for handler in accounts if account in {None, handler.account.name}]
    return [subject_of(handler.inbox_key("", body)) for handler in handlers]


async def spooled_of(subjects: Sequence[Subject], spool: Path) -> SpoolSearch:
    """Return what the spool in this folder holds about ``subjects``, Kafka or not."""
    keys = {subject.inbox_key.encode() for subject in subjects}
    return await asyncio.to_thread(search_spool, spool, keys)


async def explain(
    gatherer: Gatherer, subjects: Sequence[Subject], search: SpoolSearch
) -> Explanation:
    """Return the stories of those of ``subjects`` of which anything is known.

    The spool was to be searched before: what is drained meanwhile is then found in the inbox.

    Raises:
        NoSuchTopic: a topic does not exist.
        KafkaError: Kafka cannot be read.
        TimeoutError: it does not answer.
    """
    found = await gatherer.gather(subjects)
    stories = [
        tell(replace(each, spooled=search.found.get(each.subject.inbox_key.encode(), ())))
        for each in found
        if search.found.get(each.subject.inbox_key.encode()) or not each.is_empty
    ]
    searched = list(dict.fromkeys(subject.account for subject in subjects))
    return Explanation(stories, searched, search)


def whereabouts(explanation: Explanation, body: bytes) -> Whereabouts:
    """Return where these very bytes are, going by their SHA-256."""
    digest = sha256(body).hexdigest()
    stories = explanation.stories
    return Whereabouts(
        digest,
        [at for story in stories for at in positions_of(story, digest)],
        [
            seen.letter.id
            for story in stories
            for seen in story.evidence.letters
            if seen.digest == digest
        ],
        [
            spooled.file
            for story in stories
            for spooled in story.evidence.spooled
            if spooled.digest == digest
        ],
    )
