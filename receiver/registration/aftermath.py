"""What the guard knows after it looked or made a step, and which orders are done by it."""

from collections.abc import Sequence

import msgspec

from handlers.registration import Action, Step, Subscription, leads_to
from receiver.registration.moves import steps_left
from receiver.registration.registered import (
    Call,
    Done,
    Listed,
    Made,
    Registered,
)
from receiver.registration.signs import Order
from receiver.registration.situation import Situation

_MOST_MADE = 30
_MOST_DONE = 10
_LONGEST = 300


def assumed(registered: Registered, topics: Sequence[str], now: float) -> Registered:
    """Return what is known where somebody else registers: that it works from the first look on."""
    known = {
        topic: msgspec.structs.replace(
            registered.of(topic), enabled_at=registered.of(topic).enabled_at or now
        )
        for topic in topics
    }
    return msgspec.structs.replace(registered, topics={**registered.topics, **known})


def after_reading(
    registered: Registered, found: Sequence[Subscription], url: str | None, now: float
) -> Registered:
    """Return what is known once the provider has listed what it has.

    What leads here and was never seen before counts as enabled from now on; what vanished is not
    proven any more.
    """
    listed = tuple(Listed(one.id, one.topic, one.url) for one in found)
    right = {one.topic: one.id for one in found if url is not None and leads_to(one.url, url)}
    topics = dict(registered.topics)
    for topic, id_ in right.items():
        known = registered.of(topic)
        if known.id != id_:
            known = msgspec.structs.replace(known, proven_at=None, enabled_at=now)
        topics[topic] = msgspec.structs.replace(known, id=id_, enabled_at=known.enabled_at or now)
    for topic in topics.keys() - right.keys():
        topics[topic] = msgspec.structs.replace(
            topics[topic], id=None, enabled_at=None, proven_at=None
        )
    present = {one.id for one in found}
    ours = tuple(id_ for id_ in registered.ours if id_ in present)
    return msgspec.structs.replace(
        registered, listed=listed, listed_at=now, topics=topics, ours=ours
    )


def after_step(situation: Situation, step: Step, made_id: str, call: Call) -> Registered:
    """Return what is known once a step was made, which left the subscription ``made_id``."""
    registered = situation.registered
    one = registered.of(step.topic)
    listed = [known for known in registered.listed if known.id != (step.id or made_id)]
    ours = [known for known in registered.ours if known != made_id]
    if step.action is Action.DELETE:
        if step.id == one.id:
            again = situation.recreations_in_vain(step.topic)
            again += situation.is_suspect(step.topic)
            one = msgspec.structs.replace(
                one, id=None, enabled_at=None, call=None, proven_at=None, recreations=again
            )
    else:
        # It is known only of what led here before, and proving that enables nothing.
        enabled_at = one.enabled_at or call.ended_at
        one = msgspec.structs.replace(one, id=made_id, enabled_at=enabled_at, call=call)
        listed.append(Listed(made_id, step.topic, step.url))
        ours.append(made_id)
    made = Made(call.ended_at, f"{step.action.value} {step.topic} -> {step.url}: {step.why}")
    return msgspec.structs.replace(
        registered,
        listed=tuple(listed),
        topics={**registered.topics, step.topic: one},
        ours=tuple(ours),
        unreachable=None,
        made=(*registered.made, made)[-_MOST_MADE:],
    )


def after_orders(situation: Situation) -> Registered:
    """Return what is known once the order that is done, if one is, has its outcome."""
    registered, order = situation.registered, situation.order
    if order is None:
        return registered
    if not _is_done(situation, order):
        return registered
    problem = _problem(situation, order)
    steps = tuple(made.told for made in registered.made if made.at >= order.asked_at)
    done = Done(order.id, situation.now, steps, None if problem is None else problem[:_LONGEST])
    return msgspec.structs.replace(registered, done=(*registered.done, done)[-_MOST_DONE:])


def _is_done(situation: Situation, order: Order) -> bool:
    """Tell whether nothing more can be done for an order; a step that failed is not tried twice."""
    registered = situation.registered
    if situation.url is None and order.what != "list":
        return True
    if registered.listed_at is None or registered.listed_at < order.asked_at:
        return False
    if order.what == "list":
        return True
    is_waiting = any(one.call is not None for one in registered.topics.values())
    return not is_waiting and not any(steps_left(situation, order))


def _problem(situation: Situation, order: Order) -> str | None:
    """Return what keeps an order from having been carried out, None if nothing does."""
    if order.what == "list":
        return None
    if situation.url is None:
        return "http.public_url is not set, so there is no URL to register"
    told = [
        f"{topic}: {one.problem}"
        for topic, one in situation.registered.topics.items()
        if one.problem is not None and (one.failed_at or 0.0) >= order.asked_at
    ]
    topics = order.topics or situation.registration.topics
    if order.what == "test":
        absent = [topic for topic in topics if situation.right(topic) is None]
        told += [f"not registered to lead here: {', '.join(absent)}"] if absent else []
    taken = situation.plan(order).taken if order.what == "ensure" else ()
    if taken:
        others = ", ".join(f"{one.topic} leads to {one.url}" for one in taken)
        told.append(
            f"others have topics of this account, and --take-over moves them here: {others}"
        )
    return "; ".join(told) or None
