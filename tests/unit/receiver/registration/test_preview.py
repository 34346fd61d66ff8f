"""The preview of an order: the steps that the guard would make, as a diff."""

from collections import Counter
from typing import Any

from msgspec.structs import replace

from handlers.smartpay.topics import TOPICS
from receiver.care.orders import new_order
from receiver.registration.preview import Line, preview
from receiver.registration.registered import Listed, Registered
from tests.unit.receiver.registration.shop import (
    ELSEWHERE,
    HOOK,
    NOW,
    PAID,
    PROVEN,
    situation,
    with_topic,
    with_url,
)


def lines(registered: Registered, **given: Any) -> list[Line]:
    """Return the lines of an order to ensure all."""
    return preview(situation(registered), new_order("shop", "ensure", NOW, **given))


def signs(registered: Registered, **given: Any) -> Counter[str]:
    """Return how many lines have which sign."""
    return Counter(line.sign for line in lines(registered, **given))


def test_nothing_is_to_be_done_where_all_is_proven() -> None:
    """What stays is shown without a sign, so that it is seen that all is there."""
    found = lines(PROVEN)
    assert [(line.sign, line.topic, line.url) for line in found] == [
        (" ", topic, HOOK) for topic in TOPICS
    ]
    assert not any(line.is_change for line in found)


def test_what_is_missing_would_be_created() -> None:
    """A topic without a subscription is a plus, with where it will lead and why."""
    [line] = [line for line in lines(with_url(PAID, None)) if line.is_change]
    assert line.told == f"+ {PAID} -> {HOOK}  (it is not subscribed)"


def test_what_leads_elsewhere_would_be_modified_or_is_taken() -> None:
    """Ours is moved; another's only where that is asked for, and named in any case."""
    assert signs(with_url(PAID, ELSEWHERE)) == {" ": 4, "~": 1}
    others = with_url(PAID, ELSEWHERE, ours=False)
    assert signs(others) == {" ": 4, "!": 1}
    assert [line.url for line in lines(others) if line.sign == "!"] == [ELSEWHERE]
    assert signs(others, take_over=True) == {" ": 4, "~": 1}


def test_what_is_ours_and_not_wanted_would_be_deleted() -> None:
    """A second one of ours is a minus, and is not created again."""
    stale = Listed("stale", PAID, HOOK)
    found = replace(PROVEN, listed=(*PROVEN.listed, stale), ours=(*PROVEN.ours, "stale"))
    assert signs(found) == {" ": 4, "-": 1}


def test_creating_anew_is_two_lines_a_topic() -> None:
    """What is deleted to be created again shows both, for the topics it was asked for."""
    assert signs(PROVEN, recreate=True) == {"-": 5, "+": 5}
    [minus, plus] = [
        line for line in lines(PROVEN, recreate=True, topics=(PAID,)) if line.is_change
    ]
    assert (minus.sign, plus.sign) == ("-", "+")
    assert minus.topic == plus.topic == PAID


def test_what_is_unproven_would_be_tried() -> None:
    """To prove it is a call at the provider, and so a change."""
    [line] = [line for line in lines(with_topic(PAID, proven_at=None)) if line.is_change]
    assert line.sign == "~"
