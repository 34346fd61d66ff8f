"""What makes a webhook suspect, and what does not."""

import msgspec

from receiver.registration.signs import Failure, Missed
from receiver.registration.suspicion import (
    LONGEST_DELAY,
    SHORTEST_DELAY,
    blamed,
    exhausted_at,
    suspected_at,
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


def failures(count: int, status: int | None, begin: float = ENABLED) -> Vitals:
    """Return the vitals of a topic with so many failures, a second apart."""
    told = tuple(
        Failure(PAID, status, "why", begin + n, f"request-{n}", "digest") for n in range(count)
    )
    return Vitals(topics={PAID: TopicVitals(failures=told)})


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


def test_suspicion_waits_for_the_usual_delay() -> None:
    """A webhook may still come; how long is learnt from those that did."""
    facts = (missing(1_200.0, 1_500.0), missing(1_200.0, 1_400.0))
    assert suspected_at(facts, 300.0) == 1_700.0
    assert suspected_at((), 300.0) is None
    assert usual_delay(Vitals()) == SHORTEST_DELAY
    assert usual_delay(Vitals(delays=(10.0, 600.0))) == 1_200.0
    assert usual_delay(Vitals(delays=(10.0 * LONGEST_DELAY,))) == LONGEST_DELAY


def test_a_budget_that_is_used_up_makes_suspect_at_its_last_failure() -> None:
    """Twenty that we did not take disable a webhook, whoever announces what."""
    assert exhausted_at(failures(20, 503), PAID, ENABLED, 20) == ENABLED + 19
    assert exhausted_at(failures(19, 503), PAID, ENABLED, 20) is None
    assert exhausted_at(failures(20, 503, begin=ENABLED - 1), PAID, ENABLED, 20) is None


def test_strangers_who_knock_make_nothing_suspect() -> None:
    """Refused signatures can be anyone's, and have no webhook created anew."""
    assert exhausted_at(failures(40, 401), PAID, ENABLED, 20) is None
