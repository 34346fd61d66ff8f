"""The condition of a topic: one word for each way in which it can stand."""

import pytest
from msgspec.structs import replace

from receiver.registration.condition import State, conditions
from receiver.registration.registered import Listed, Registered
from receiver.registration.vitals import Vitals
from tests.unit.receiver.registration.shop import (
    CALL,
    ELSEWHERE,
    HOUR,
    MISSED,
    NOW,
    PAID,
    PROVEN,
    SILENT,
    situation,
    with_topic,
    with_url,
)


@pytest.mark.parametrize(
    ("registered", "vitals", "state"),
    [
        (Registered(), None, State.UNKNOWN),
        (with_url(PAID, None), None, State.MISSING),
        (with_url(PAID, ELSEWHERE, ours=False), None, State.TAKEN),
        (with_url(PAID, ELSEWHERE), None, State.ELSEWHERE),
        (PROVEN, SILENT, State.SUSPECTED),
        (with_topic(PAID, call=CALL), None, State.AWAITED),
        (with_topic(PAID, proven_at=None), None, State.UNPROVEN),
        (with_topic(PAID, problem="it was rejected"), None, State.UNPROVEN),
        (PROVEN, None, State.PROVEN),
    ],
    ids=lambda given: given if isinstance(given, State) else "",
)
def test_each_state(registered: Registered, vitals: Vitals | None, state: State) -> None:
    """What is known of a topic decides its state, and that of no other topic."""
    found = {one.topic: one.state for one in conditions(situation(registered, vitals))}
    assert found.pop(PAID) is state
    assert set(found.values()) == {State.UNKNOWN if state is State.UNKNOWN else State.PROVEN}


def test_the_one_that_leads_here_is_shown() -> None:
    """Where a topic is listed twice, the one that brings webhooks here decides."""
    stale = Listed("stale", PAID, ELSEWHERE)
    twice = replace(PROVEN, listed=(stale, *PROVEN.listed), ours=("stale", *PROVEN.ours))
    [paid] = [one for one in conditions(situation(twice)) if one.topic == PAID]
    assert (paid.state, paid.subscription) == (State.PROVEN, situation(twice).right(PAID))


def test_json_has_times_and_what_was_missed() -> None:
    """Programs get times as RFC 3339, and the number of facts that nothing announced."""
    [paid] = [one for one in conditions(situation(PROVEN, SILENT)) if one.topic == PAID]
    told = paid.as_json()
    assert (told["state"], told["missed"]) == ("suspected", 1)
    assert told["proven_at"] == "2025-12-31T12:00:00Z"
    assert MISSED.observed_at == NOW - HOUR
    assert told["suspected_since"] == "2026-01-01T11:05:00Z"
