"""What the guard does next: look, make one step, or rest until something can have changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from handlers.registration import Action, Step
from receiver.registration.probing import probe_at, probes
from receiver.registration.proof import window
from receiver.registration.signs import Order
from receiver.registration.situation import Situation

_AFTER_THE_WINDOW = 10.0
"""Seconds after which a call that nothing explains is given up, counted from its window's end."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read what is subscribed."""


@dataclass(frozen=True, slots=True)
class Make:
    """Make a step."""

    step: Step


@dataclass(frozen=True, slots=True)
class Probe:
    """Make a step that can wait: a test, to see whether a topic is enabled."""

    step: Step


@dataclass(frozen=True, slots=True)
class Renew:
    """Write down that a topic is to be deleted and created anew, before the first of it is done.

    Whoever goes on after a crash in between then knows what is missing and why.
    """

    topic: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Do nothing until a time, in seconds since 1970, or until a sign comes."""

    until: float


Move: TypeAlias = Read | Make | Probe | Renew | Rest


def next_move(situation: Situation) -> Move:
    """Return what to do next. Steps are made one by one, each after the last one was proven."""
    calls = [one.call for one in situation.registered.topics.values() if one.call]
    if calls:
        # Else an arrival could be explained by either of two calls.
        ends_at = min(call.ended_at + window(call, situation.vitals) for call in calls)
        return Rest(ends_at + _AFTER_THE_WINDOW)
    order = situation.order
    if _is_listing_due(situation, order):
        return Read()
    steps = list(situation.renewals())
    if order is None:
        steps += steps_to_make(situation, order)
    for step in steps:
        if situation.now >= _not_before(situation, step):
            return Make(step)
    if order is not None:
        left = next(steps_left(situation, order), None)
        if left is not None:
            return Make(left)
    return _next_if_all_is_made(situation, order, steps)


def _next_if_all_is_made(situation: Situation, order: Order | None, blocked: list[Step]) -> Move:
    if may_change(situation, order):
        for topic in situation.to_renew(order):
            return Renew(topic)
    tests = list(probes(situation)) if order is None else []
    for step in tests:
        if situation.now >= _not_before(situation, step):
            return Probe(step)
    return Rest(_until(situation, [*blocked, *tests]))


def may_change(situation: Situation, order: Order | None) -> bool:
    """Tell whether anything may be changed at the provider: by itself, or because it was asked."""
    if situation.url is None:
        return False
    return situation.registration.managed if order is None else order.what != "list"


def steps_to_make(situation: Situation, order: Order | None) -> Iterator[Step]:
    """Yield the steps from what is to what is wanted; what must be deleted anyway comes last."""
    if not may_change(situation, order):
        return
    if order is None or order.what == "ensure":
        made = situation.plan(order)
        stale = [step for step in made.steps if step.action is Action.DELETE]
        yield from (step for step in made.steps if step not in stale)
        yield from situation.proofs(order)
        yield from stale
    elif order.what == "test":
        yield from situation.proofs(order)


def steps_left(situation: Situation, order: Order) -> Iterator[Step]:
    """Yield the steps of an order but for those that it has seen fail."""
    for step in steps_to_make(situation, order):
        one = situation.registered.of(step.topic)
        if one.order != order.id or one.problem is None:
            yield step


def _not_before(situation: Situation, step: Step) -> float:
    registered = situation.registered
    return max(registered.of(step.topic).not_before, registered.reach_at)


def _is_listing_due(situation: Situation, order: Order | None) -> bool:
    registered = situation.registered
    is_renewing = any(one.is_renewed for one in registered.topics.values())
    if registered.listed_at is None and is_renewing:
        return True
    if order is not None:
        return registered.listed_for != order.id
    if not may_change(situation, None):
        return False
    interval = situation.registration.check_interval.total_seconds()
    return registered.listed_at is None or situation.now - registered.listed_at >= interval


def _until(situation: Situation, blocked: list[Step]) -> float:
    interval = situation.registration.check_interval.total_seconds()
    now, registered = situation.now, situation.registered
    times = [now + interval]
    if situation.registration.managed and registered.listed_at is not None:
        times.append(registered.listed_at + interval)
    times += [_not_before(situation, step) for step in blocked]
    for topic in situation.registration.topics:
        suspect_at = situation.suspect_at(topic)
        if suspect_at is not None:
            times.append(max(suspect_at, situation.renewed_again_at(topic)))
        probed_at = probe_at(situation, topic)
        if probed_at is not None:
            times.append(probed_at)
    return max(now + 1.0, min(at for at in times if at > now))
