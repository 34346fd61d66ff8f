"""What the guard knows after it looked or made a step, and which orders are done by it."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from handlers.registration import Action, Step, Subscription, leads_to
from receiver.registration.moves import steps_to_make
from receiver.registration.outcome import outcome
from receiver.registration.probing import probes
from receiver.registration.registered import PROBE, Call, Listed, Made, Registered
from receiver.registration.situation import Situation

_MOST_MADE = 30
_MOST_DONE = 10
_UNREACHABLE_FOR = 30.0
_LONGEST_UNREACHABLE = 600.0
"""Seconds after which our own URL is tried again, at first and at most."""


def assumed(registered: Registered, topics: Sequence[str], now: float) -> Registered:
    """Return what is known where somebody else registers: that it works from the first look on."""
    for topic in topics:
        one = registered.of(topic)
        if one.enabled_at is None and not one.is_renewed:
            enabled = msgspec.structs.replace(one, enabled_at=now)
            registered = registered.with_topic(topic, enabled)
    return registered


def blaming(situation: Situation) -> Registered:
    """Return what is known with each topic noted that something is missed of, and since when."""
    registered = situation.registered
    for topic, one in registered.topics.items():
        since = one.blamed_since or situation.now if situation.blamed(topic) else None
        if since != one.blamed_since:
            blamed_now = msgspec.structs.replace(one, blamed_since=since)
            registered = registered.with_topic(topic, blamed_now)
    return registered


def calmed(situation: Situation) -> Registered:
    """Return what is known without the troubles that are over.

    A renewal that was not begun and that nothing speaks for any more is none, and where there is
    nothing left to do, what failed before it does not matter.
    """
    registered = situation.registered
    for topic, one in registered.topics.items():
        is_begun = situation.right(topic) is None
        if one.is_renewed and not (is_begun or situation.order or situation.is_suspect(topic)):
            calm = msgspec.structs.replace(one, is_renewed=False)
            registered = registered.with_topic(topic, calm)
    situation = replace(situation, registered=registered)
    if situation.order is not None:
        return registered
    steps = (*situation.renewals(), *steps_to_make(situation, None), *probes(situation))
    left = {step.topic for step in steps}
    for topic, one in registered.topics.items():
        if topic not in left and one.call is None and (one.problem or one.failures):
            calm = msgspec.structs.replace(one, problem=None, failures=0, not_before=0.0)
            registered = registered.with_topic(topic, calm)
    return registered if left else reached(registered)


def unreached(situation: Situation, why: str) -> Registered:
    """Return what is known once our own URL could not be reached: no step has a chance now.

    It costs the provider nothing to try again soon, and later if that does not help either.
    """
    known, order = situation.registered, situation.order
    pause = min(_UNREACHABLE_FOR * 2.0 ** min(known.unreached, 10), _LONGEST_UNREACHABLE)
    steps = (*situation.renewals(), *steps_to_make(situation, order))
    for topic in {step.topic for step in steps}:
        one = known.of(topic)
        asked = one.order if order is None else order.id
        known = known.with_topic(topic, msgspec.structs.replace(one, problem=why, order=asked))
    return msgspec.structs.replace(
        known, unreachable=why, unreached=known.unreached + 1, reach_at=situation.now + pause
    )


def reached(registered: Registered) -> Registered:
    """Return what is known when nothing speaks of our URL not being reachable."""
    return msgspec.structs.replace(registered, unreachable=None, unreached=0, reach_at=0.0)


def renewing(situation: Situation, topic: str) -> Registered:
    """Return what is known once a topic is about to be deleted and created anew."""
    one, order = situation.registered.of(topic), situation.order
    # What nothing speaks against is created anew because a person wanted it, and not in vain.
    renewals = situation.renewals_of(topic) + situation.is_suspect(topic)
    one = msgspec.structs.replace(
        one,
        is_renewed=True,
        renewals=renewals,
        problem=None,
        order=one.order if order is None else order.id,
    )
    return situation.registered.with_topic(topic, one)


def after_reading(situation: Situation, found: Sequence[Subscription], now: float) -> Registered:
    """Return what is known once the provider has listed what it has.

    What leads here and was never seen before counts as enabled from now on; what vanished is not
    proven any more.
    """
    registered, url, order = situation.registered, situation.url, situation.order
    listed = tuple(Listed(one.id, one.topic, one.url) for one in found)
    right = {one.topic: one.id for one in found if url is not None and leads_to(one.url, url)}
    for topic in {*registered.topics, *right}:
        one, id_ = registered.of(topic), right.get(topic)
        if id_ is None:
            one = msgspec.structs.replace(
                one, id=None, enabled_at=None, proven_at=None, unheard_at=None
            )
        elif one.id != id_:
            one = msgspec.structs.replace(
                one, id=id_, enabled_at=now, proven_at=None, unheard_at=None
            )
        registered = registered.with_topic(topic, one)
    present = {one.id for one in found}
    return msgspec.structs.replace(
        registered,
        listed=listed,
        listed_at=now,
        listed_for=registered.listed_for if order is None else order.id,
        ours=tuple(id_ for id_ in registered.ours if id_ in present),
    )


def after_step(situation: Situation, step: Step, made_id: str, call: Call) -> Registered:
    """Return what is known once a step was made, which left the subscription ``made_id``."""
    registered = situation.registered
    one = registered.of(step.topic)
    listed = [known for known in registered.listed if known.id != (step.id or made_id)]
    ours = [known for known in registered.ours if known != made_id]
    if step.action is not Action.DELETE:
        # It is known only of what led here before, and proving that enables nothing.
        enabled_at = one.enabled_at or call.ended_at
        is_created = step.action is Action.CREATE
        one = msgspec.structs.replace(
            one,
            id=made_id,
            enabled_at=enabled_at,
            call=call,
            is_renewed=one.is_renewed and not is_created,
            unheard_at=None if is_created else one.unheard_at,
        )
        if call.action == PROBE:
            one = msgspec.structs.replace(one, probed_at=call.began_at)
        listed.append(Listed(made_id, step.topic, step.url))
        ours.append(made_id)
    elif step.id == one.id:
        one = msgspec.structs.replace(one, id=None, enabled_at=None, call=None, proven_at=None)
    if situation.order is not None:
        one = msgspec.structs.replace(one, order=situation.order.id, problem=None)
    made = Made(call.ended_at, f"{step.action.value} {step.topic} -> {step.url}: {step.why}")
    return msgspec.structs.replace(
        reached(registered).with_topic(step.topic, one),
        listed=tuple(listed),
        ours=tuple(ours),
        made=(*registered.made, made)[-_MOST_MADE:],
    )


def after_probe_failed(situation: Situation, topic: str) -> Registered:
    """Return what is known once a probe could not be made: as if it had been, it can wait."""
    one = msgspec.structs.replace(situation.registered.of(topic), probed_at=situation.now)
    return situation.registered.with_topic(topic, one)


def after_orders(situation: Situation) -> Registered:
    """Return what is known once the order that is done, if one is, has its outcome."""
    registered, order = situation.registered, situation.order
    done = None if order is None else outcome(situation, order)
    if done is None:
        return registered
    return msgspec.structs.replace(registered, done=(*registered.done, done)[-_MOST_DONE:])
