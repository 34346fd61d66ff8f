"""Taking signs into account: what an account's vitals are after one more.

A sign may come twice, and late: what it tells has its time, and is kept by that. No clock is asked
either: what is a week older than the sign is forgotten. Whatever anyone can cause by sending
requests is bounded.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby

import msgspec

from receiver.registration.signs import (
    Announced,
    Arrived,
    Failure,
    Missed,
    Order,
    Sign,
    Unannounced,
    Undelivered,
)
from receiver.registration.vitals import MOST_ARRIVALS, UNKNOWN, TopicVitals, Vitals

KEPT = 7 * 24 * 3600.0
"""Seconds after which things are forgotten, counted from the sign that comes then."""

MOST_TOPICS = 20
MOST_MISSED = 50
MOST_FAILURES = 40
MOST_NOTIFICATIONS = 20
"""Notifications of one topic whose tries are counted: those with the most."""
MOST_TRIES = 25
"""Tries of one notification: more than disable a webhook anywhere."""
MOST_DELAYS = 20
MOST_KEYS = 10
MOST_ORDERS = 10


def taken(vitals: Vitals, sign: Sign) -> Vitals:
    """Return the vitals after a sign."""
    match sign:
        case Arrived():
            vitals = _arrived(vitals, sign)
        case Announced():
            vitals = _announced(vitals, sign)
        case Unannounced():
            vitals = _unannounced(vitals, sign)
        case Undelivered():
            vitals = _undelivered(vitals, sign)
        case Order():
            vitals = _ordered(vitals, sign)
    now = _time_of(sign)
    return vitals if now is None else _remembered(vitals, now - KEPT)


def _arrived(vitals: Vitals, sign: Arrived) -> Vitals:
    arrivals = sorted({*vitals.arrivals, sign.received_at})
    return msgspec.structs.replace(vitals, arrivals=tuple(arrivals[-MOST_ARRIVALS:]))


def _announced(vitals: Vitals, sign: Announced) -> Vitals:
    told = frozenset(sign.facts)
    topics = {topic: _without(known, told) for topic, known in vitals.topics.items()}
    topic = _room_for(sign.topic, topics)
    topics[topic] = _alive(topics.get(topic, TopicVitals()), sign.received_at)
    delays, keys = vitals.delays, vitals.keys
    if sign.delay is not None and sign.delay not in delays:
        delays = (*delays, sign.delay)[-MOST_DELAYS:]
    if sign.signed_with is not None:
        last = max(sign.received_at, keys.get(sign.signed_with, sign.received_at))
        latest = sorted({**keys, sign.signed_with: last}.items(), key=lambda pair: pair[1])
        keys = dict(latest[-MOST_KEYS:])
    return msgspec.structs.replace(vitals, topics=topics, delays=delays, keys=keys)


def _without(known: TopicVitals, told: frozenset[str]) -> TopicVitals:
    """Return a topic's vitals once these facts were announced."""
    missed = tuple(each for each in known.missed if each.fact not in told)
    if len(missed) == len(known.missed):
        return known
    return msgspec.structs.replace(
        known, missed=missed, more_missed=known.more_missed if missed else 0
    )


def _alive(known: TopicVitals, at: float) -> TopicVitals:
    """Return a topic's vitals after a sign of life: it ends the failures in a row before it."""
    if known.alive_at is not None and at <= known.alive_at:
        return known
    return msgspec.structs.replace(
        known,
        alive_at=at,
        failures=tuple(failure for failure in known.failures if failure.at > at),
        more_failures=0,
        more_since=None,
    )


def _unannounced(vitals: Vitals, sign: Unannounced) -> Vitals:
    topics = dict(vitals.topics)
    for missed in sign.facts:
        topic = _room_for(missed.topic, topics)
        topics[topic] = _missing(topics.get(topic, TopicVitals()), missed)
    return msgspec.structs.replace(vitals, topics=topics)


def _missing(known: TopicVitals, missed: Missed) -> TopicVitals:
    if any(each.fact == missed.fact for each in known.missed):
        return known
    every = sorted((*known.missed, missed), key=lambda each: (each.observed_at, each.fact))
    beyond = max(0, len(every) - MOST_MISSED)
    return msgspec.structs.replace(
        known, missed=tuple(every[beyond:]), more_missed=known.more_missed + beyond
    )


def _undelivered(vitals: Vitals, sign: Undelivered) -> Vitals:
    topics = dict(vitals.topics)
    by_topic = sorted(sign.failures, key=lambda failure: failure.topic)
    for name, failures in groupby(by_topic, key=lambda failure: failure.topic):
        topic = _room_for(name, topics)
        topics[topic] = _failing(
            topics.get(topic, TopicVitals()), list(failures), sign.more.get(name, 0)
        )
    return msgspec.structs.replace(vitals, topics=topics)


def _failing(known: TopicVitals, told: list[Failure], more: int) -> TopicVitals:
    """Return a topic's vitals after failures, and ``more`` that came after the first of them."""
    alive_at = known.alive_at if known.alive_at is not None else float("-inf")
    every = {(each.at, each.request_id): each for each in known.failures}
    every.update({(each.at, each.request_id): each for each in told if each.at > alive_at})
    ordered = [every[key] for key in sorted(every)]
    cut = ordered[:-MOST_FAILURES]
    first = min(each.at for each in told)
    uncounted = [each.at for each in cut]
    if more and first > alive_at:
        uncounted += [first]
    since = [known.more_since, *uncounted]
    return msgspec.structs.replace(
        known,
        failures=tuple(ordered[-MOST_FAILURES:]),
        more_failures=known.more_failures + len(cut) + (more if first > alive_at else 0),
        more_since=min((at for at in since if at is not None), default=None),
        tries=_tried(known.tries, told),
    )


def _tried(
    tries: Mapping[str, tuple[float, ...]], told: Iterable[Failure]
) -> dict[str, tuple[float, ...]]:
    """Return the tries of each notification after these failures, if they say what it was."""
    after = dict(tries)
    for failure in told:
        if failure.digest:
            times = sorted({*after.get(failure.digest, ()), failure.at})
            after[failure.digest] = tuple(times[-MOST_TRIES:])
    most = sorted(after, key=lambda digest: (len(after[digest]), after[digest][-1], digest))
    return {digest: after[digest] for digest in most[-MOST_NOTIFICATIONS:]}


def _ordered(vitals: Vitals, sign: Order) -> Vitals:
    orders = {order.id: order for order in (*vitals.orders, sign)}
    latest = sorted(orders.values(), key=lambda order: (order.asked_at, order.id))
    return msgspec.structs.replace(vitals, orders=tuple(latest[-MOST_ORDERS:]))


def _remembered(vitals: Vitals, since: float) -> Vitals:
    """Return the vitals without what is older than ``since``."""
    return msgspec.structs.replace(
        vitals,
        topics={topic: _of_topic(known, since) for topic, known in vitals.topics.items()},
        arrivals=tuple(at for at in vitals.arrivals if at >= since),
        orders=tuple(order for order in vitals.orders if order.asked_at >= since),
    )


def _of_topic(known: TopicVitals, since: float) -> TopicVitals:
    missed = tuple(each for each in known.missed if each.observed_at >= since)
    failures = tuple(failure for failure in known.failures if failure.at >= since)
    tries = {
        digest: kept
        for digest, times in known.tries.items()
        if (kept := tuple(at for at in times if at >= since))
    }
    return msgspec.structs.replace(
        known,
        missed=missed,
        # What there was no room for is older than what there was.
        more_missed=known.more_missed if missed else 0,
        failures=failures,
        more_failures=known.more_failures if failures else 0,
        more_since=known.more_since if failures else None,
        tries=tries,
    )


def _room_for(topic: str, topics: Mapping[str, TopicVitals]) -> str:
    return topic if topic in topics or len(topics) < MOST_TOPICS else UNKNOWN


def _time_of(sign: Sign) -> float | None:
    """Return when the newest of what a sign tells was; None if it tells nothing."""
    match sign:
        case Arrived() | Announced():
            return sign.received_at
        case Unannounced():
            return max((missed.observed_at for missed in sign.facts), default=None)
        case Undelivered():
            return max((failure.at for failure in sign.failures), default=None)
        case Order():
            return sign.asked_at
