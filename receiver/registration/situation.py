"""The situation of an account's subscriptions: what is so, what is wanted, and who asked for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.registration import Action, Plan, Registration, Step, Subscription, leads_to, plan
from receiver.registration.registered import Registered
from receiver.registration.signs import Order
from receiver.registration.suspicion import blamed, exhausted_at, suspected_at, usual_delay
from receiver.registration.vitals import Vitals

ORDER_LIVES = 3600.0
"""Seconds after which an order that could not be carried out is forgotten: nobody waits."""

_FIRST_PAUSE = 3600.0
_LONGEST_PAUSE = 24 * 3600.0
"""Seconds between re-creations of one topic that do not help, at first and at most."""


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
        """Yield a step for each topic that leads here, as was never seen, or not since asked."""
        asked_at = order.asked_at if order is not None and order.what == "test" else 0.0
        for topic in self._asked_topics(order):
            right = self.right(topic)
            proven_at = self.registered.of(topic).proven_at
            if right is not None and (proven_at is None or proven_at < asked_at):
                action = Action.TEST if self.registration.can_test else Action.MODIFY
                yield Step(action, topic, right.url, right.id, "to see that it arrives here")

    def recreations(self, order: Order | None) -> Iterator[Step]:
        """Yield the deletion of what is to be created anew: what is suspect, or what was asked."""
        for topic in self._asked_topics(order):
            right = self.right(topic)
            if right is None:
                continue
            enabled_at = self.registered.of(topic).enabled_at or 0.0
            if order is not None and order.recreate:
                if enabled_at < order.asked_at:
                    yield Step(Action.DELETE, topic, right.url, right.id, "to be created anew")
            elif self.is_suspect(topic) and self.now >= self.recreated_again_at(topic):
                why = "it is probably disabled, and to be created anew"
                yield Step(Action.DELETE, topic, right.url, right.id, why)

    def suspect_at(self, topic: str) -> float | None:
        """Return from when on a topic is probably disabled, None if nothing speaks for it."""
        enabled_at = self.registered.of(topic).enabled_at
        facts = blamed(self.vitals, topic, enabled_at)
        most = self.registration.most_undeliverable
        times = (
            suspected_at(facts, usual_delay(self.vitals)),
            exhausted_at(self.vitals, topic, enabled_at, most),
        )
        return min((at for at in times if at is not None), default=None)

    def is_suspect(self, topic: str) -> bool:
        """Tell whether a topic is probably disabled."""
        at = self.suspect_at(topic)
        return at is not None and at <= self.now

    def recreated_again_at(self, topic: str) -> float:
        """Return when a topic may be created anew: the less it helps, the later."""
        one = self.registered.of(topic)
        if one.enabled_at is None or not self.recreations_in_vain(topic):
            return 0.0
        pause = _FIRST_PAUSE * 2.0 ** (self.recreations_in_vain(topic) - 1)
        return one.enabled_at + min(pause, _LONGEST_PAUSE)

    def recreations_in_vain(self, topic: str) -> int:
        """Return how often in a row a topic was created anew without telling anything since."""
        one, known = self.registered.of(topic), self.vitals.topics.get(topic)
        alive_at = None if known is None else known.alive_at
        is_alive = alive_at is not None and alive_at > (one.enabled_at or 0.0)
        return 0 if is_alive else one.recreations

    def _asked_topics(self, order: Order | None) -> Sequence[str]:
        wanted = self.registration.topics
        return wanted if order is None or not order.topics else order.topics
