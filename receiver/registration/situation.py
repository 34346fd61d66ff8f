"""The situation of an account's subscriptions: what is so, what is wanted, and who asked for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.registration import Action, Plan, Registration, Step, Subscription, leads_to, plan
from receiver.registration.failure_budget import FailureBudget, budget_of
from receiver.registration.registered import Registered
from receiver.registration.signs import Order
from receiver.registration.suspicion import blamed, usual_delay
from receiver.registration.vitals import TopicVitals, Vitals

ORDER_LIVES = 3600.0
"""Seconds after which an order that could not be carried out is forgotten: nobody waits."""

_FIRST_PAUSE = 3600.0
_LONGEST_PAUSE = 24 * 3600.0
"""Seconds between two renewals of one topic, at first and at most."""

_MOST_DOUBLINGS = 20

_WELL = 48 * 3600.0
"""Seconds without a renewal after which a topic was well for long."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the guard judges by. ``url`` is where webhooks should arrive, None if nobody said."""

    registration: Registration
    registered: Registered
    vitals: Vitals
    url: str | None
    now: float

    @property
    def order(self) -> Order | None:
        """Return the oldest order that is not done and that somebody may still wait for."""
        done = {done.order for done in self.registered.done}
        pending = (
            order
            for order in self.vitals.orders
            if order.id not in done and order.asked_at > self.now - ORDER_LIVES
        )
        return min(pending, key=lambda order: order.asked_at, default=None)

    @property
    def subscriptions(self) -> list[Subscription]:
        """Return what the provider has, as far as we know."""
        return [Subscription(one.id, one.topic, one.url) for one in self.registered.listed]

    def right(self, topic: str) -> Subscription | None:
        """Return the subscription that brings a topic to our URL, None if there is none."""
        if self.url is None:
            return None
        of_topic = (one for one in self.subscriptions if one.topic == topic)
        return next((one for one in of_topic if leads_to(one.url, self.url)), None)

    def plan(self, order: Order | None) -> Plan:
        """Return what is to be done so that each topic is notified here."""
        if self.url is None:
            return Plan(())
        take_over = order is not None and order.take_over
        made = plan(
            self.registration.topics,
            self.url,
            self.subscriptions,
            self.registered.ours,
            take_over=take_over,
        )
        if order is None or not order.topics:
            return made
        about = set(order.topics)
        return Plan(
            tuple(step for step in made.steps if step.topic in about),
            tuple(one for one in made.taken if one.topic in about),
        )

    def proofs(self, order: Order | None) -> Iterator[Step]:
        """Yield a step for each topic that leads here, as was never seen, or not for this test."""
        test = order.id if order is not None and order.what == "test" else None
        for topic in self.asked_topics(order):
            right, one = self.right(topic), self.registered.of(topic)
            if right is not None and (one.proven_at is None or (test and one.order != test)):
                action = Action.TEST if self.registration.can_test else Action.MODIFY
                yield Step(action, topic, right.url, right.id, "to see that it arrives here")

    def renewals(self) -> Iterator[Step]:
        """Yield what is left to be done for the topics that are being deleted and created anew."""
        for topic, one in self.registered.topics.items():
            if not one.is_renewed or self.url is None:
                continue
            right = self.right(topic)
            if right is not None:
                yield Step(Action.DELETE, topic, right.url, right.id, "to be created anew")
            elif not any(known.topic == topic for known in self.subscriptions):
                yield Step(Action.CREATE, topic, self.url, why="it was deleted to be created anew")

    def to_renew(self, order: Order | None) -> Iterator[str]:
        """Yield the topics that should be created anew: what is suspect, or what was asked."""
        for topic in self.asked_topics(order):
            one = self.registered.of(topic)
            if self.right(topic) is None or one.is_renewed:
                continue
            if order is not None:
                if order.recreate and one.order != order.id:
                    yield topic
            elif self.is_suspect(topic) and self.now >= self.renewed_again_at(topic):
                yield topic

    def suspect_at(self, topic: str) -> float | None:
        """Return from when on a topic is probably disabled, None if nothing speaks for it."""
        one = self.registered.of(topic)
        facts = blamed(self.vitals, topic, one.enabled_at)
        if not facts:
            return None
        # Only the latest facts are known, so that in a busy shop the first are long forgotten.
        noticed = min(max(fact.observed_at, fact.noticed_at) for fact in facts)
        since = noticed if one.blamed_since is None else min(noticed, one.blamed_since)
        return since + usual_delay(self.vitals)

    def is_suspect(self, topic: str) -> bool:
        """Tell whether a topic is probably disabled."""
        at = self.suspect_at(topic)
        return at is not None and at <= self.now

    def renewed_again_at(self, topic: str) -> float:
        """Return when a topic may be created anew: the more often it was, the later.

        Whether it is alive says nothing here: there may be changes that are never announced.
        """
        one = self.registered.of(topic)
        if one.enabled_at is None or not one.renewals:
            return 0.0
        pause = _FIRST_PAUSE * 2.0 ** min(one.renewals - 1, _MOST_DOUBLINGS)
        return one.enabled_at + min(pause, _LONGEST_PAUSE)

    def renewals_of(self, topic: str) -> int:
        """Return how often a topic was created anew since it was last well for long."""
        one = self.registered.of(topic)
        is_long_ago = one.enabled_at is not None and self.now - one.enabled_at > _WELL
        return 0 if is_long_ago else one.renewals

    def is_renewed_in_vain(self, topic: str) -> bool:
        """Tell whether a topic was created anew and has told nothing new since."""
        one, known = self.registered.of(topic), self.vitals.topics.get(topic)
        alive_at = None if known is None else known.alive_at
        return bool(one.renewals) and (alive_at is None or alive_at <= (one.enabled_at or 0.0))

    def failure_budget(self, topic: str) -> FailureBudget:
        """Return how much of a topic's budget of undeliverable notifications is used."""
        known = self.vitals.topics.get(topic, TopicVitals())
        enabled_at = self.registered.of(topic).enabled_at
        return budget_of(known, enabled_at, self.registration.most_undeliverable)

    def asked_topics(self, order: Order | None) -> Sequence[str]:
        """Return the topics that an order is about: all, if it names none or there is none."""
        wanted = self.registration.topics
        return wanted if order is None or not order.topics else order.topics
