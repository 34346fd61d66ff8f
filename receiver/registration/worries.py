"""Worries: what a person must know of an account's webhooks, by the code of its alarm."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config.account import AccountSettings
from handlers.clock import rfc3339
from receiver.registration.failure_budget import EARLY
from receiver.registration.proof import UNPROVEN
from receiver.registration.situation import Situation

UNREGISTERED = "webhook-unregistered"
TAKEN = "webhook-taken"
UNPROVEN_CODE = "webhook-unproven"
SILENT = "webhook-silent"
FAILURES = "webhook-failures"
UNREACHABLE = "public-url-unreachable"

OLD_KEY = "old-key-in-use"

CODES = (UNREGISTERED, TAKEN, UNPROVEN_CODE, SILENT, FAILURES, UNREACHABLE, OLD_KEY)

_NOTICE = timedelta(days=7)
"""How long before a key stops being accepted it is told that it is still in use."""

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Worry:
    """One alarm to be: its code, why, and what to do about it."""

    code: str
    why: str
    remedy: str


def worries(situation: Situation, account: AccountSettings) -> Iterator[Worry]:
    """Yield what is wrong with an account's webhooks, each code at most once."""
    registered = situation.registered
    if registered.unreachable is not None:
        yield Worry(
            UNREACHABLE,
            f"no webhook is registered while our own URL cannot be reached from here: "
            f"{registered.unreachable}",
            "see that http.public_url leads to the receivers from this machine too, or set"
            " http.probe_public_url = false if it only does from outside",
        )
    if situation.registration.managed and situation.url is None:
        yield Worry(
            UNREGISTERED,
            "http.public_url is not set, so there is no URL to register",
            "set http.public_url to where the provider reaches this service, and restart",
        )
    else:
        yield from _of_the_list(situation, account.name)
    unproven = _unproven(situation)
    if unproven:
        yield Worry(
            UNPROVEN_CODE,
            "; ".join(f"{_listed(topics)}: {why}" for why, topics in unproven.items()),
            "compare http.public_url with where requests arrive, and the account's keys with those"
            " at the provider; if they are right, the webhook may be disabled: payevents webhooks"
            f" ensure --account {account.name} --recreate",
        )
    yield from _of_the_silent(situation, account.name)
    yield from _of_failures(situation)
    yield from _of_keys(situation, account)


def _of_the_list(situation: Situation, account: str) -> Iterator[Worry]:
    topics = situation.registration.topics
    managed = situation.registration.managed and situation.registered.listed_at is not None
    taken = situation.plan(None).taken if managed else ()
    others = {one.topic for one in taken}
    absent = [
        topic
        for topic in topics
        if situation.right(topic) is None
        and topic not in others
        and (managed or situation.registered.of(topic).is_renewed)
        and _is_stuck(situation, topic)
    ]
    if absent:
        problems = {situation.registered.of(topic).problem for topic in absent} - {None}
        told = f": {'; '.join(sorted(map(str, problems)))}" if problems else ""
        yield Worry(
            UNREGISTERED,
            f"not registered to lead here: {_listed(absent)}{told}",
            "it is tried again by itself: see that http.public_url can be reached from outside"
            f" and answers 200; 'payevents webhooks ensure --account {account}' tries at once",
        )
    if taken:
        leading = ", ".join(f"{one.topic} to {one.url}" for one in taken)
        yield Worry(
            TAKEN,
            f"another has topics of this account, and each can lead to one URL only: {leading}",
            f"if they are to come here: payevents webhooks ensure --account {account} --take-over",
        )


def _unproven(situation: Situation) -> dict[str, list[str]]:
    """Return the topics that lead here and cannot be proven, by why."""
    registered = situation.registered
    found: dict[str, list[str]] = {}
    for topic, one in registered.topics.items():
        is_there = situation.right(topic) is not None
        is_refused = is_there and one.proven_at is None and one.problem != registered.unreachable
        if one.problem is not None and (is_refused or one.problem == UNPROVEN):
            found.setdefault(one.problem, []).append(topic)
    return found


def _is_stuck(situation: Situation, topic: str) -> bool:
    """Tell whether a topic stays unregistered, for a reason that no other worry tells."""
    registered = situation.registered
    problem = registered.of(topic).problem
    if problem is not None:
        return problem != registered.unreachable
    # Nothing failed, and yet nothing is done: calls may have stopped, or wait for the budget.
    patience = 2 * situation.registration.check_interval.total_seconds()
    return registered.listed_at is not None and situation.now - registered.listed_at > patience


def _of_the_silent(situation: Situation, account: str) -> Iterator[Worry]:
    """Yield a worry while a topic is suspect, and after it was made anew until it tells something.

    Who reads it an hour later should still learn that payments were not announced.
    """
    topics = situation.registration.topics
    silent = [topic for topic in topics if situation.is_suspect(topic)]
    renewed = [t for t in topics if t not in silent and situation.is_renewed_in_vain(t)]
    if not silent and not renewed:
        return
    told = [f"{topic}: {_of_one_silent(situation, topic)}" for topic in silent]
    if renewed:
        told.append(f"{_listed(renewed)}: created anew, and has told nothing new since")
    remedy = "nothing: it is created anew by itself, and what was missed is read"
    if not situation.registration.managed:
        remedy = (
            "register it again at the provider, which enables it: payevents webhooks ensure"
            f" --account {account} --recreate"
        )
    yield Worry(SILENT, f"probably disabled: {'; '.join(told)}", remedy)


def _of_one_silent(situation: Situation, topic: str) -> str:
    facts = situation.blamed(topic)
    silent_since = situation.silent_since(topic)
    if silent_since is not None and not facts:
        return (
            f"a test notification had not arrived by {_time(silent_since)}, and what else the"
            " provider was made to send did"
        )
    first = min(missed.observed_at for missed in facts)
    subjects = _listed(dict.fromkeys(missed.subject for missed in facts))
    return (
        f"{len(facts)} changes since {_time(first)} were found by reconciliation and no webhook"
        f" announced them: {subjects}"
    )


def _of_failures(situation: Situation) -> Iterator[Worry]:
    told = []
    for topic in situation.vitals.topics:
        budget = situation.failure_budget(topic)
        if budget.at_least >= EARLY:
            told.append(f"{topic}: {budget.told}")
    if told:
        yield Worry(
            FAILURES,
            "; ".join(sorted(told)),
            "mend what refuses webhooks before the provider switches them off: docs/operations.md,"
            " 'webhook-failures'",
        )


def _of_keys(situation: Situation, account: AccountSettings) -> Iterator[Worry]:
    """Yield a worry if what arrived last is signed with a key that will soon not count any more."""
    keys = situation.vitals.keys
    latest = max(keys, key=lambda key: keys[key], default=None)
    now = datetime.fromtimestamp(situation.now, UTC)
    name = account.signing_key_names(now).get(latest or "")
    if latest is None or name is None or latest in account.signing_key_names(now + _NOTICE):
        return
    yield Worry(
        OLD_KEY,
        f"the last webhook was signed with {name}, which is accepted for less than"
        f" {_NOTICE.days} days more",
        "have the provider sign with the new key, or give the old one a later date, before webhooks"
        " are refused",
    )


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _MOST_NAMED
    told = ", ".join(listed[:_MOST_NAMED] if more > 2 else listed)
    return f"{told} and {more} more" if more > 2 else told


def _time(seconds: float) -> str:
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
