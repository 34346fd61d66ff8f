"""Which dead letters a filter means."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from receiver.dead_letters.criteria import BadCriterion, Criteria, criteria_from
from receiver.dead_letters.letter import DeadLetter

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
LETTER = DeadLetter(
    id="l1",
    account="shop",
    origin="webhook",
    topic="invoice/paid",
    reason="bad-field",
    detail="amount",
    count=1,
    first_at="2026-01-01T00:00:00Z",
    last_at="2026-01-10T11:00:00.500Z",
    inbox_position="0/1",
)


@pytest.mark.parametrize(
    ("filters", "meant"),
    [
        ({}, True),
        ({"reason": "bad-field", "account": "shop", "origin": "webhook"}, True),
        ({"reason": "no-id"}, False),
        ({"account": "other"}, False),
        ({"origin": "poll"}, False),
        ({"since": "2h"}, True),
        ({"since": "30m"}, False),
        ({"until": "2h"}, False),
        ({"until": "2026-01-10"}, True),
        ({"since": "2026-01-10T11:00:00.500Z", "until": "2026-01-10T11:00:00.500Z"}, True),
        ({"since": None, "account": None}, True),
    ],
)
def test_every_filter_must_match(filters: dict[str, Any], meant: bool) -> None:
    """Filters narrow; times are those when the letter last came, ends included."""
    assert criteria_from(filters, NOW).match(LETTER) is meant


def test_ids_are_a_filter_too() -> None:
    """Only the letters named are meant."""
    assert Criteria(ids=frozenset(["l1"])).match(LETTER)
    assert not Criteria(ids=frozenset(["l2"])).match(LETTER)


def test_a_letter_without_a_time_is_older_than_any() -> None:
    """What another wrote to the topic can be listed, and is never recent."""
    undated = replace(LETTER, last_at="")
    assert criteria_from({"until": "2h"}, NOW).match(undated)
    assert not criteria_from({"since": "2000d"}, NOW).match(undated)


@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", "bad-feild"), ("origin", "pull"), ("since", "soon"), ("until", 5), ("account", [])],
)
def test_a_wrong_filter_is_named(field: str, value: object) -> None:
    """A misspelt reason must not look like no letters at all."""
    with pytest.raises(BadCriterion, match=f"^{field}: "):
        criteria_from({field: value}, NOW)
