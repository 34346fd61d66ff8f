"""What ``/v1/status`` shows of an account that is polled here."""

from datetime import timedelta

from config.types import format_duration
from handlers.provider import Handler
from receiver.care.known import Asked, Care
from receiver.registration.condition import Condition, conditions, told
from receiver.registration.situation import Situation


def situation_of(handler: Handler, care: Care, now: float) -> Situation | None:
    """Return what an account's subscriptions are judged by; None if its provider calls nobody.

    The URL is the one that the poller works with. ``now`` is in seconds since 1970.
    """
    registration, registered = handler.registration, care.registered
    if registration is None:
        return None
    return Situation(registration, registered, care.vitals, registered.url or None, now)


def calls_used(handler: Handler, care: Care, now: float) -> int:
    """Return how many calls the account has made in its last ``calls_per``."""
    begin = now - handler.account.calls_per.total_seconds()
    return sum(calls for at, calls in care.standing.spent if at > begin)


def care_as_json(handler: Handler, care: Care, now: float) -> dict[str, object]:
    """Return all that is known of an account; ``now`` is in seconds since 1970."""
    situation = situation_of(handler, care, now)
    registered, stop = care.registered, care.standing.stop
    found = [] if situation is None else conditions(situation)
    return {
        "url": registered.url or None,
        "listed_at": told(registered.listed_at),
        "unreachable": registered.unreachable,
        "topics": [topic_as_json(one, situation) for one in found if situation is not None],
        "calls_used": calls_used(handler, care, now),
        "calls_allowed": handler.account.calls,
        "stopped": None if stop is None else stop.why,
        "last_reconciliation_at": told(care.windows_read_at),
    }


def asked_as_json(asked: Asked, now: float) -> dict[str, object]:
    """Return how an account's provider is asked; ``now`` is in seconds since 1970."""
    return {
        "last_answer_at": told(asked.answered_at),
        "failures": asked.failures,
        "rests_until": told(asked.rests_until) if asked.rests_until > now else None,
        "stopped": asked.stopped,
        "calls_used": asked.calls_used,
        "calls_allowed": asked.calls_allowed,
        "calls_per": format_duration(timedelta(seconds=asked.calls_per)),
    }


def topic_as_json(one: Condition, situation: Situation) -> dict[str, object]:
    """Return the condition of a topic, with its failure budget."""
    return {**one.as_json(), "undeliverable": situation.failure_budget(one.topic).as_json()}
