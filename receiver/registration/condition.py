"""The condition of a topic's subscription, in one word, from all that is known of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from handlers.clock import rfc3339
from handlers.registration import Subscription
from receiver.registration.registered import PROBE, TopicRegistration
from receiver.registration.situation import Situation
from receiver.registration.vitals import TopicVitals


class State(StrEnum):
    """How a topic's subscription stands."""

    UNKNOWN = "unknown"
    """The provider was never asked."""
    MISSING = "missing"
    """The topic is not subscribed."""
    TAKEN = "taken"
    """It leads to another URL, and is not ours."""
    ELSEWHERE = "elsewhere"
    """It is ours, and leads to another URL."""
    SUSPECTED = "suspected"
    """It is probably disabled: what it should have announced was found otherwise."""
    AWAITED = "awaited"
    """What the provider sends on our call is yet to arrive."""
    UNPROVEN = "unproven"
    """It leads here as the provider says, and nothing that we caused has arrived."""
    PROVEN = "proven"
    """What our own call caused arrived here."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One topic: its state, and what it was judged by.

    ``subscription`` is the provider's, None if there is none. ``suspected_since`` is when its
    silence became suspicious. Times are seconds since 1970.
    """

    topic: str
    state: State
    subscription: Subscription | None
    registration: TopicRegistration
    vitals: TopicVitals
    suspected_since: float | None

    @property
    def missed(self) -> int:
        """Return how many facts were found that no webhook had announced."""
        return len(self.vitals.missed) + self.vitals.more_missed

    def as_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "topic": self.topic,
            "state": self.state.value,
            "id": None if self.subscription is None else self.subscription.id,
            "url": None if self.subscription is None else self.subscription.url,
            "enabled_at": told(self.registration.enabled_at),
            "proven_at": told(self.registration.proven_at),
            "suspected_since": told(self.suspected_since),
            "last_webhook_at": told(self.vitals.alive_at),
            "missed": self.missed,
            "problem": self.registration.problem,
        }


def conditions(situation: Situation) -> list[Condition]:
    """Return the condition of each topic that should be subscribed."""
    return [_condition(topic, situation) for topic in situation.registration.topics]


def told(seconds: float | None) -> str | None:
    """Return a time as RFC 3339 to the second, None for none."""
    return None if seconds is None else rfc3339(datetime.fromtimestamp(int(seconds), UTC))


def _condition(topic: str, situation: Situation) -> Condition:
    suspect_at = situation.suspect_at(topic)
    is_suspect = suspect_at is not None and suspect_at <= situation.now
    found = _of(topic, situation)
    return Condition(
        topic,
        _state(topic, found, situation),
        found,
        situation.registered.of(topic),
        situation.vitals.topics.get(topic, TopicVitals()),
        suspect_at if is_suspect else None,
    )


def _of(topic: str, situation: Situation) -> Subscription | None:
    """Return the subscription of a topic: the one that leads here, else one of ours, else any."""
    of_topic = [one for one in situation.subscriptions if one.topic == topic]
    ours = (one for one in of_topic if one.id in situation.registered.ours)
    return situation.right(topic) or next(ours, None) or next(iter(of_topic), None)


def _state(topic: str, found: Subscription | None, situation: Situation) -> State:
    registered = situation.registered
    if registered.listed_at is None:
        return State.UNKNOWN
    if found is None:
        return State.MISSING
    if situation.right(topic) is None:
        return State.ELSEWHERE if found.id in registered.ours else State.TAKEN
    if situation.is_suspect(topic):
        return State.SUSPECTED
    one = registered.of(topic)
    is_probed = one.proven_at is not None and one.call is not None and one.call.action == PROBE
    if one.call is not None and not is_probed:
        return State.AWAITED
    is_proven = one.proven_at is not None and one.problem is None
    return State.PROVEN if is_proven else State.UNPROVEN
