"""How near a webhook is to being disabled, in the reading that is worse for us."""

from receiver.registration.failure_budget import EARLY, budget_of
from receiver.registration.signs import Announced, Failure, Undelivered
from receiver.registration.taking import taken
from receiver.registration.vitals import TopicVitals, Vitals

MOST = 20
PAID = "invoice/paid"


def failed(*times: float, digest: str = "", status: int | None = 401, more: int = 0) -> Undelivered:
    """Return failures at these times."""
    why = "the signature is not of this body" if status == 401 else f"after {times[0]}s"
    failures = tuple(Failure(PAID, status, why, at, f"r{at:.0f}", digest) for at in times)
    return Undelivered("shop", failures, {PAID: more} if more else {})


def known(*signs: Undelivered | Announced) -> TopicVitals:
    """Return the vitals of the topic after these signs."""
    vitals = Vitals()
    for sign in signs:
        vitals = taken(vitals, sign)
    return vitals.topics[PAID]


def test_the_worse_of_both_readings_counts() -> None:
    """Tries of one notification go on counting while others are taken; failures in a row do not."""
    alive = Announced("shop", PAID, 10.0)
    tried = budget_of(known(failed(1.0, 2.0, 3.0, digest="d"), alive, failed(11.0)), None, MOST)
    assert (tried.tries, tried.in_a_row, tried.at_least) == (3, 1, 3)
    in_a_row = budget_of(known(failed(1.0, digest="a"), failed(2.0, digest="b")), None, MOST)
    assert (in_a_row.tries, in_a_row.in_a_row, in_a_row.at_least) == (1, 2, 2)


def test_what_failed_before_it_was_enabled_counts_no_more() -> None:
    """Enabling begins both counts anew."""
    budget = budget_of(known(failed(1.0, 2.0, 5.0, 6.0, 7.0, digest="d")), 5.0, MOST)
    assert (budget.tries, budget.in_a_row) == (3, 3)
    assert budget_of(known(failed(1.0, 2.0, digest="d")), 5.0, MOST).at_least == 0


def test_failures_told_as_a_number_count_if_they_came_since() -> None:
    """Those that may be older are left out: there are at least so many."""
    assert budget_of(known(failed(1.0, more=30)), 0.5, MOST).at_least == 31
    assert budget_of(known(failed(1.0, 2.0, more=30)), 1.5, MOST).at_least == 1


def test_it_says_which_requests_failed_and_why() -> None:
    """Reasons are counted, and the latest requests are there to look for in the logs."""
    told = budget_of(
        known(failed(1.0, 2.0, digest="abc"), failed(3.0, status=200), failed(4.0, status=None)),
        None,
        MOST,
    )
    assert told.reasons == {
        "401, the signature is not of this body": 2,
        "200 too late": 1,
        "no answer, after 4.0s": 1,
    }
    assert told.requests == ("r4", "r3", "r2")
    assert told.told == (
        "at least 4 of 20 undeliverable; 4 since a webhook last told something new; 2 tries of"
        " one notification; 2 because of 401, the signature is not of this body; 1 because of"
        " 200 too late; 1 because of no answer, after 4.0s; latest requests r4, r3, r2"
    )
    assert told.as_json()["at_least"] == 4
    assert told.as_json()["sha256_of_that"] == "abc"


def test_nothing_known_is_nothing_used() -> None:
    """A topic without failures has all of its budget."""
    budget = budget_of(TopicVitals(), None, MOST)
    assert (budget.at_least, budget.requests, budget.reasons) == (0, (), {})
    assert 0 < EARLY < MOST
