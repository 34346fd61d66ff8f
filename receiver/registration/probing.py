"""Probing: asking for a test notification of a topic, to see whether its webhook is enabled.

Nothing else tells that of one which has nothing to tell. Each probe costs a call, and makes an
event of test data: so they are few, one at a time, and made only where all else is well.
"""

from collections.abc import Iterator

from handlers.registration import Action, Step
from receiver.registration.situation import PROBED_EVERY, Situation
from receiver.registration.suspicion import usual_delay
from receiver.registration.vitals import TopicVitals

_LONGEST_PAUSE = 7 * 24 * 3600.0
"""Seconds after which a topic is probed again, however long it has been quiet."""

_APART = 3600.0
"""Seconds between what proves any topic and the next probe of a quiet one, which can wait; and
between two tests of a suspect one."""

_SETTLING = 300.0
"""Seconds after another replica took the account over, in which others may change, too."""


def probes(situation: Situation) -> Iterator[Step]:
    """Yield a test for each topic that is to be probed now."""
    for topic in situation.registration.topics:
        at, right = probe_at(situation, topic), situation.right(topic)
        if at is not None and at <= situation.now and right is not None:
            yield Step(Action.TEST, topic, right.url, right.id, "to see whether it is enabled")


def probe_at(situation: Situation, topic: str) -> float | None:
    """Return from when on a topic is to be probed, None if that depends on something else."""
    one = situation.registered.of(topic)
    is_proven = one.proven_at is not None and one.call is None and not one.is_renewed
    if not (situation.registration.managed and is_proven and situation.right(topic) is not None):
        return None
    suspect_at = situation.suspect_at(topic)
    if suspect_at is None:
        at = _quiet_until(situation, topic)
    else:
        is_to_be_heard = situation.is_to_be_heard(topic)
        at = _heard_after(situation, topic, suspect_at) if is_to_be_heard else None
    taken_over_at = _latest(situation.now, situation.registered.taken_over_at)
    return None if at is None else max(at, taken_over_at + _SETTLING)


def is_hearing_near(situation: Situation) -> bool:
    """Tell whether a suspect topic waits for its test, an hour at most."""
    return situation.registered.unreachable is None and any(
        probe_at(situation, topic) is not None
        for topic in situation.registration.topics
        if situation.is_suspect(topic)
    )


def _heard_after(situation: Situation, topic: str, suspect_at: float) -> float:
    """Return when a suspect topic is to be heard: not while another's test may come once more.

    Nor within an hour of the last test of it, since then it was alive.
    """
    now, topics = situation.now, situation.registered.topics
    heard_at = _latest(now, *(one.heard_at for one in topics.values()))
    probed_at = _latest(now, situation.registered.of(topic).probed_at)
    return max(suspect_at, heard_at + usual_delay(situation.vitals), probed_at + _APART)


def _quiet_until(situation: Situation, topic: str) -> float | None:
    """Return when a topic has been quiet for a day, and then for as long again, up to a week.

    None while another is not well: it shows whether anything arrives, and this one can wait.
    """
    if not situation.may_probe(topic) or not _is_all_well(situation):
        return None
    one, known = situation.registered.of(topic), situation.vitals.topics.get(topic, TopicVitals())
    told_at = _latest(situation.now, one.enabled_at, known.alive_at)
    shown_at = _latest(situation.now, told_at, one.proven_at, one.heard_at, one.probed_at)
    pause = min(max(shown_at - told_at, PROBED_EVERY), _LONGEST_PAUSE)
    proven = [each.proven_at for each in situation.registered.topics.values()]
    return max(shown_at + pause, _latest(situation.now, *proven) + _APART)


def _is_all_well(situation: Situation) -> bool:
    """Tell whether each topic that leads here is proven and not suspect, and nothing is awaited."""
    topics = situation.registered.topics
    return not any(one.call is not None or one.is_renewed for one in topics.values()) and all(
        one.proven_at is not None and one.problem is None and not situation.is_suspect(topic)
        for topic, one in topics.items()
        if situation.right(topic) is not None
    )


def _latest(now: float, *times: float | None) -> float:
    """Return the latest of times; what is yet to come was told by a clock that was wrong."""
    return max((at for at in times if at is not None and at <= now), default=0.0)
