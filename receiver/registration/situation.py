"""The situation of an account's subscriptions: what is so, what is wanted, and who asked for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.registration import Action, Plan, Registration, Step, Subscription, leads_to, plan
from receiver.registration.failure_budget import FailureBudget, budget_of
from receiver.registration.proof import LONGEST_WINDOW, SKEW
from receiver.registration.registered import Registered
from receiver.registration.signs import Missed, Order
from receiver.registration.suspicion import blamed, usual_delay
from receiver.registration.vitals import TopicVitals, Vitals

ORDER_LIVES = 3600.0
"""Seconds after which an order that could not be carried out is forgotten: nobody waits."""

PROBED_EVERY = 24 * 3600.0
"""Seconds between two probes of one topic, at least."""

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
        for one in self.registered.listed:
            if one.topic == topic and leads_to(one.url, self.url):
                return Subscription(one.id, one.topic, one.url)
        return None

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
                may_test = self.may_probe(topic) if order is None else self.registration.can_test
                action = Action.TEST if may_test and not one.is_doubted else Action.MODIFY
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
                # Where nothing at all arrives it is not the webhook that is to blame.
                is_shown = one.proven_at is not None or not self.registration.can_test
                if is_shown and not self.is_to_be_heard(topic):
                    yield topic

    def may_probe(self, topic: str) -> bool:
        """Tell whether a test that nobody ordered may be made of a topic."""
        return self._can_tell and self._is_probed_long_ago(topic)

    @property
    def _can_tell(self) -> bool:
        """Tell whether tests can be made, and would say something."""
        # Where webhooks are slower than a probe is waited for, its silence would tell nothing.
        return self.registration.can_test and usual_delay(self.vitals) <= LONGEST_WINDOW

    def _is_probed_long_ago(self, topic: str) -> bool:
        probed_at = self.registered.of(topic).probed_at
        return probed_at is None or abs(self.now - probed_at) >= PROBED_EVERY

    def is_to_be_heard(self, topic: str) -> bool:
        """Tell whether a test is to be made before a suspect topic is created anew.

        If it arrives, one that works is spared, with what is queued for it. It is spared once: a
        test may arrive although nothing else does. One that was refused, or said nothing, is not
        repeated within a day: whoever can spoil tests must not keep a topic disabled.
        """
        one, known = self.registered.of(topic), self.vitals.topics.get(topic, TopicVitals())
        told_at = max(one.enabled_at or 0.0, known.alive_at or 0.0)
        was_heard = (one.heard_at or 0.0) >= (one.probed_at or 0.0)
        return (
            self._can_tell
            and (was_heard or self._is_probed_long_ago(topic))
            and self.silent_since(topic) is None
            and (one.heard_at or 0.0) <= told_at
            and (self.registered.tests_arrive(self.now) or not one.renewals)
        )

    def silent_since(self, topic: str) -> float | None:
        """Return since when a topic is taken for disabled because of a probe, None if it is not."""
        silent_at = self._silent_at(topic)
        is_silent = silent_at is not None and silent_at <= self.now
        return self.registered.of(topic).unheard_at if is_silent else None

    def _silent_at(self, topic: str) -> float | None:
        """Return from when on a probe speaks against a topic: its arrival may be told late, too."""
        one, known = self.registered.of(topic), self.vitals.topics.get(topic, TopicVitals())
        if one.unheard_at is None or not one.is_silent or (known.alive_at or 0.0) > one.unheard_at:
            return None
        since, explained = (one.probed_at or 0.0) - SKEW, self.registered.explained
        arrivals = (at for at in self.vitals.arrivals if since <= at <= one.unheard_at)
        if any(at not in explained for at in arrivals):
            return None
        return one.unheard_at + usual_delay(self.vitals)

    def blamed(self, topic: str) -> tuple[Missed, ...]:
        """Return the facts for whose silence nothing but a disabled webhook is known to blame."""
        one = self.registered.of(topic)
        # What a clock that was ahead has written down of the future speaks for nothing.
        is_past = one.heard_at is not None and one.heard_at <= self.now
        return blamed(self.vitals, topic, one.enabled_at, one.heard_at if is_past else None)

    def suspect_at(self, topic: str) -> float | None:
        """Return from when on a topic is probably disabled, None if nothing speaks for it."""
        times = (self._silent_at(topic), self._missed_at(topic))
        return min((at for at in times if at is not None), default=None)

    def _missed_at(self, topic: str) -> float | None:
        one = self.registered.of(topic)
        facts = self.blamed(topic)
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
        """Tell whether a topic was created anew and neither it nor a test of it was heard since."""
        one, known = self.registered.of(topic), self.vitals.topics.get(topic, TopicVitals())
        told_at = max(known.alive_at or 0.0, one.heard_at or 0.0)
        return bool(one.renewals) and told_at <= (one.enabled_at or 0.0)

    def failure_budget(self, topic: str) -> FailureBudget:
        """Return how much of a topic's budget of undeliverable notifications is used."""
        known = self.vitals.topics.get(topic, TopicVitals())
        enabled_at = self.registered.of(topic).enabled_at
        return budget_of(known, enabled_at, self.registration.most_undeliverable)

    def asked_topics(self, order: Order | None) -> Sequence[str]:
        """Return the topics that an order is about: all, if it names none or there is none."""
        wanted = self.registration.topics
        return wanted if order is None or not order.topics else order.topics
