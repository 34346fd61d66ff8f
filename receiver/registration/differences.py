"""Differences: what a reconciliation found that no webhook had announced, topic by topic."""

from dataclasses import dataclass

from receiver.registration.signs import Missed
from receiver.registration.situation import Situation
from receiver.registration.vitals import TopicVitals


@dataclass(frozen=True, slots=True)
class Differences:
    """Those of one topic.

    ``older`` counts what may have happened before the registration was enabled, which no webhook
    could announce; ``count`` all else, of which ``latest`` are known one by one. If they speak for
    a webhook that is disabled, one is waited for until ``awaited_until``, in seconds since 1970.
    """

    topic: str
    older: int
    count: int
    latest: tuple[Missed, ...]
    awaited_until: float | None

    @classmethod
    def of(cls, situation: Situation, topic: str) -> "Differences":
        """Return those of a topic, whether it is registered or not."""
        known = situation.vitals.topics.get(topic, TopicVitals())
        enabled_at = situation.registered.of(topic).enabled_at
        older = {fact for fact in known.missed if _is_older(fact, enabled_at)}
        latest = tuple(fact for fact in known.missed if fact not in older)
        # What there is no room for was found before the rest, and is as old at least.
        more_older = 0 if latest else known.more_missed
        suspect_at = situation.suspect_at(topic)
        is_awaited = suspect_at is not None and suspect_at > situation.now
        return cls(
            topic,
            len(older) + more_older,
            len(latest) + known.more_missed - more_older,
            latest,
            suspect_at if is_awaited else None,
        )


def _is_older(fact: Missed, enabled_at: float | None) -> bool:
    since = fact.happened_since
    return enabled_at is not None and since is not None and since < enabled_at
