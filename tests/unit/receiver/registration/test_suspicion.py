"""What makes a webhook suspect, and what does not."""

import msgspec

from receiver.registration.signs import Missed
from receiver.registration.suspicion import (
    LONGEST_DELAY,
    SHORTEST_DELAY,
    blamed,
    usual_delay,
)
from receiver.registration.vitals import TopicVitals, Vitals

PAID = "invoice/paid"
ENABLED = 1_000.0


def missing(happened: float | None, observed: float) -> Missed:
    """Return a fact that a reconciliation found."""
    return Missed(f"{happened}-{observed}", PAID, "invoice/1", happened, observed)


def vitals(*missed: Missed, alive_at: float | None = None, **more: object) -> Vitals:
    """Return the vitals of a topic that has missed these."""
    known = TopicVitals(alive_at=alive_at, missed=missed)
    return msgspec.structs.replace(Vitals(topics={PAID: known}), **more)


def test_what_happened_before_it_was_enabled_blames_nobody() -> None:
    """Only what happened since can have been announced, and when is not always known."""
    facts = (missing(900.0, 1_500.0), missing(None, 1_500.0), missing(1_000.0, 1_500.0))
    assert blamed(vitals(*facts), PAID, ENABLED) == (facts[2],)
    assert blamed(vitals(*facts), PAID, None) == ()
    assert blamed(Vitals(), PAID, ENABLED) == ()


def test_a_sign_of_life_clears_what_was_found_before_it() -> None:
    """A webhook that tells something new after a fact was found is not disabled."""
    fact = missing(1_200.0, 1_500.0)
    assert blamed(vitals(fact, alive_at=1_501.0), PAID, ENABLED) == ()
    assert blamed(vitals(fact, alive_at=1_499.0), PAID, ENABLED) == (fact,)


def test_a_webhook_may_take_what_others_took_twice_over() -> None:
    """How long one is waited for is learnt from those that came."""
    assert usual_delay(Vitals()) == SHORTEST_DELAY
    assert usual_delay(Vitals(delays=(10.0, 600.0))) == 1_200.0
    assert usual_delay(Vitals(delays=(10.0 * LONGEST_DELAY,))) == LONGEST_DELAY
