"""The checker sees each thing that can go wrong, and nothing where nothing went wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from handlers import fact as facts
from handlers.resource import ResourceKey
from tests.chaos.checker import SHOWN, Findings, Sent, check
from tests.chaos.story import Fact
from tests.unit.chaos.published import PAID_AT, fact, record

PINS = Path(__file__).parents[1] / "handlers" / "golden" / "facts.json"
CREATED = fact("i1", "created")
PAID = fact("i1", "paid")
CANCELLED = fact("i1", "cancelled")
SENT = Sent({CREATED: 1000, PAID: 1000, CANCELLED: 1000})
STORY = [record(CREATED, 1), record(PAID, 2), record(CANCELLED, 3)]


def kinds(findings: Findings) -> set[str]:
    """Return the kinds of which there is at least one finding."""
    return {kind for kind, found in findings.by_kind().items() if found}


def test_a_whole_story_is_clean() -> None:
    """What was acknowledged and published once, in order, gives no finding, but counts."""
    findings = check(STORY, SENT)
    assert findings.clean, findings
    assert (findings.events, findings.resources) == (3, 1)


def test_what_is_missing_is_lost() -> None:
    """An acknowledged fact that was not published is lost, even as the last of its story."""
    findings = check(STORY[:2], SENT)
    assert kinds(findings) == {"lost"}
    assert findings.lost == ["smartpay/shop/invoice/i1 cancelled"]


def test_nothing_published_at_all_is_all_lost() -> None:
    """An empty topic is no excuse."""
    assert len(check([], SENT).lost) == 3


def test_what_was_never_acknowledged_may_be_missing_or_there() -> None:
    """A fact that was sent without an answer is neither lost nor invented."""
    sent = Sent({CREATED: 1000}, {PAID: 1000})
    assert check(STORY[:1], sent).clean
    assert check(STORY[:2], sent).clean


def test_an_event_published_twice_is_duplicated() -> None:
    """An id seen twice is found, though the sequence goes on as if it were right."""
    findings = check([*STORY, record(PAID, 4, late=True)], SENT)
    assert kinds(findings) == {"duplicated"}
    assert len(findings.duplicated) == 2


def test_a_story_published_twice_is_duplicated_and_not_gapless() -> None:
    """A ledger that was forgotten shows in ids and in sequences."""
    assert kinds(check([*STORY, *STORY], SENT)) == {"duplicated", "gaps", "disorder"}


def test_what_nobody_sent_is_invented() -> None:
    """An event of an unknown resource, or of a known one with an unknown action, is invented."""
    sent = Sent({CREATED: 1000})
    assert kinds(check([record(CREATED, 1), record(PAID, 2)], sent)) == {"invented"}
    stranger = record(fact("i2", "created"), 1)
    assert kinds(check([record(CREATED, 1), stranger], sent)) == {"invented"}


@pytest.mark.parametrize("sequences", [(1, 2, 4), (2, 3, 4), (1, 2, 2), (1, 3, 2)])
def test_a_sequence_that_does_not_rise_by_one_is_a_gap(sequences: tuple[int, ...]) -> None:
    """A sequence must be 1, 2, 3 in partition order."""
    facts = (CREATED, PAID, CANCELLED)
    records = [record(*pair) for pair in zip(facts, sequences, strict=True)]
    assert kinds(check(records, SENT)) == {"gaps"}


def test_an_event_behind_a_later_one_must_say_late() -> None:
    """The natural order is broken only by events marked late."""
    sent = Sent({CREATED: 1000, PAID: 1000})
    overtaken = [record(PAID, 1), record(CREATED, 2)]
    assert kinds(check(overtaken, sent)) == {"disorder"}
    assert check([record(PAID, 1), record(CREATED, 2, late=True)], sent).clean


def test_an_event_in_its_order_must_not_say_late() -> None:
    """A mark that is not true is as wrong as one that is missing."""
    records = [record(CREATED, 1), record(PAID, 2, late=True)]
    assert kinds(check(records, Sent({CREATED: 1000, PAID: 1000}))) == {"disorder"}


def test_within_a_rank_the_providers_time_decides() -> None:
    """A failure after the payment's time comes after it."""
    again = fact("i1", "failed", "2018-01-01 13:00:00")
    sent = Sent({CREATED: 1000, PAID: 1000, again: 1000})
    failed = record(again, 3, occurred_at="2018-01-01T13:00:00Z")
    assert check([record(CREATED, 1), record(PAID, 2, occurred_at=PAID_AT), failed], sent).clean


def test_another_amount_is_wrong() -> None:
    """An amount that differs, that is missing, or that nobody stated is found."""
    for minor_units in (1001, None):
        changed = record(CREATED, 1, minor_units=minor_units)
        assert kinds(check([changed], Sent({CREATED: 1000}))) == {"wrong_amount"}
    assert kinds(check([record(CREATED, 1)], Sent({CREATED: None}))) == {"wrong_amount"}


@pytest.mark.parametrize(
    "place", [{"partition": 1}, {"topic": "payments.orders"}, {"key": "smartpay/shop/invoice/i2"}]
)
def test_one_resource_in_two_places_is_misplaced(place: dict[str, Any]) -> None:
    """A resource's events share the topic, the partition and the record's key."""
    records = [record(CREATED, 1), record(PAID, 2, **place)]
    assert kinds(check(records, Sent({CREATED: 1000, PAID: 1000}))) == {"misplaced"}


def test_a_fact_under_another_id_has_a_wrong_id() -> None:
    """A sent fact with an id of its own would be published anew: wrong, and the right one lost."""
    stray = record(PAID, 2, id=fact("i9", "paid").id)
    findings = check([record(CREATED, 1), stray], Sent({CREATED: 1000, PAID: 1000}))
    assert kinds(findings) == {"wrong_id", "lost"}


@pytest.mark.parametrize("action", ["created", "paid", "cancelled", "refunded"])
@pytest.mark.parametrize("test", [False, True])
def test_ids_agree_with_the_pinned_ones(action: str, *, test: bool) -> None:
    """The checker's own reckoning of ids gives those that consumers were promised."""
    pins = json.loads(PINS.read_text())
    whose, label = ("smartpay/shop/test", " test") if test else ("smartpay/shop", "")
    pinned = pins[f"fact: smartpay shop invoice 'aBc123'{label} {action}"]
    assert Fact(f"{whose}/invoice/aBc123", action).id == pinned


def test_the_id_of_what_recurs_holds_its_date() -> None:
    """A failure's id is the one that the program itself gives it."""
    resource = ResourceKey("smartpay", "shop", "invoice", "i1")
    theirs = facts.Fact(resource, "failed", discriminator="2018-01-01 13:00:00")
    assert fact("i1", "failed", "2018-01-01 13:00:00").id == str(theirs.id)


def test_findings_are_readable() -> None:
    """The rendering counts every kind and shows the first few."""
    many = Sent({fact(f"i{number}", "created"): None for number in range(SHOWN + 2)})
    text = str(check([], many))
    assert f"lost: {SHOWN + 2}" in text
    assert "smartpay/shop/invoice/i0 created" in text
    assert "and 2 more" in text
    assert "duplicated: 0" in text
