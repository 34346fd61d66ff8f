"""The demo's verdict: it claims nothing that did not happen."""

from collections import Counter
from uuid import UUID

import pytest

from receiver.demo.audience import Heard
from receiver.demo.verdict import Verdict

ONE, OTHER = UUID(int=1), UUID(int=2)
BOTH = frozenset({"a", "b"})


def heard(*facts: UUID) -> Heard:
    """Return what an audience heard that read these."""
    return Heard(ids=Counter(map(str, facts)))


def test_everything_once_is_a_success() -> None:
    """All that was caused arrived, and nothing else did."""
    caused = {"a": {ONE}, "b": {OTHER}}
    assert Verdict.of(caused, heard(ONE, OTHER), told=BOTH).exactly_once


@pytest.mark.parametrize("came", [(), (ONE,), (ONE, OTHER, OTHER), (ONE, OTHER, UUID(int=3))])
def test_too_few_or_too_many_are_none(came: tuple[UUID, ...]) -> None:
    """A fact that is missing, repeated or unexplained spoils it."""
    caused = {"a": {ONE}, "b": {OTHER}}
    assert not Verdict.of(caused, heard(*came), told=BOTH).exactly_once


def test_a_story_that_came_to_nothing_is_no_success() -> None:
    """A service that refuses all of one account's webhooks is told of no fact, and misses none."""
    caused: dict[str, set[UUID]] = {"a": {ONE}, "b": set()}
    verdict = Verdict.of(caused, heard(ONE), told=BOTH)
    assert not verdict.exactly_once
    assert verdict.silent == {"b"}


def test_a_story_that_was_cut_short_may_have_come_to_nothing() -> None:
    """Whoever stops the demo early is not told of a failure."""
    caused: dict[str, set[UUID]] = {"a": {ONE}, "b": set()}
    assert Verdict.of(caused, heard(ONE)).exactly_once
