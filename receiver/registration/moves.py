"""What the guard does next: look, make one step, or rest until something can have changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from handlers.registration import Step
from receiver.registration.proof import WINDOW
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
class Rest:
    """Do nothing until a time, in seconds since 1970, or until a sign comes."""

    until: float


Move: TypeAlias = Read | Make | Rest


def next_move(situation: Situation) -> Move:
    """Return what to do next. Steps are made one by one, each after the last one was proven."""
    waiting = [one.call.ended_at for one in situation.registered.topics.values() if one.call]
    if waiting:
        # Else an arrival could be explained by either of two calls.
        return Rest(min(waiting) + WINDOW + _AFTER_THE_WINDOW)
    order = situation.order
    if _is_listing_due(situation, order):
        return Read()
    if order is not None:
        left = next(steps_left(situation, order), None)
        return Rest(_until(situation, [])) if left is None else Make(left)
    steps = list(steps_to_make(situation, order))
    for step in steps:
        if situation.now >= situation.registered.of(step.topic).not_before:
            return Make(step)
    return Rest(_until(situation, steps))


def steps_left(situation: Situation, order: Order) -> Iterator[Step]:
    """Yield the steps of an order that have not failed since it was asked for."""
    for step in steps_to_make(situation, order):
        failed_at = situation.registered.of(step.topic).failed_at
        if failed_at is None or failed_at < order.asked_at:
            yield step


def steps_to_make(situation: Situation, order: Order | None) -> Iterator[Step]:
    """Yield the steps from what is to what is wanted; what must be deleted anyway comes last."""
    may_change = situation.registration.managed or (order is not None and order.what != "list")
    if situation.url is None or not may_change:
        return
    if order is None or order.what == "ensure":
        made = situation.plan(order)
        stale = [step for step in made.steps if step.action == "delete"]
        yield from (step for step in made.steps if step not in stale)
        yield from situation.proofs(order)
        yield from situation.recreations(order)
        yield from stale
    elif order.what == "test":
        yield from situation.proofs(order)


def _is_listing_due(situation: Situation, order: Order | None) -> bool:
    listed_at = situation.registered.listed_at
    if order is not None:
        return listed_at is None or listed_at < order.asked_at
    if not situation.registration.managed or situation.url is None:
        return False
    interval = situation.registration.check_interval.total_seconds()
    return listed_at is None or situation.now - listed_at >= interval


def _until(situation: Situation, blocked: list[Step]) -> float:
    interval = situation.registration.check_interval.total_seconds()
    now, registered = situation.now, situation.registered
    times = [now + interval]
    if situation.registration.managed and registered.listed_at is not None:
        times.append(registered.listed_at + interval)
    times += [registered.of(step.topic).not_before for step in blocked]
    for topic in situation.registration.topics:
        suspect_at = situation.suspect_at(topic)
        if suspect_at is not None:
            times.append(max(suspect_at, situation.recreated_again_at(topic)))
    return max(now + 1.0, min(at for at in times if at > now))
