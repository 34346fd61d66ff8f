"""Pacing: when shards that share a process commit again."""

import pytest

from receiver.shards.pacing import APART, LONGEST, Pacing


def test_a_shard_alone_rests_until_its_commit_has_settled() -> None:
    """No longer, however often it commits."""
    pacing = Pacing()
    now = 0.0
    for _ in range(10):
        assert pacing.rest(now) == pytest.approx(APART)
        now += 2 * APART


def test_shards_that_commit_together_take_turns() -> None:
    """Their next transactions are spread evenly."""
    pacing = Pacing()
    assert [pacing.rest(7.0) for _ in range(4)] == pytest.approx(
        [APART, 2 * APART, 3 * APART, 4 * APART]
    )


def test_a_round_of_turns_is_as_long_as_there_are_shards() -> None:
    """Nobody rests for longer, however long all of them are busy."""
    pacing, shards = Pacing(), 12
    turns = [0.0] * shards
    for number in range(50 * shards):
        shard = number % shards
        rest = pacing.rest(turns[shard])
        assert rest <= shards * APART * 1.001
        turns[shard] += rest


def test_nobody_rests_beyond_measure() -> None:
    """However many shards commit together: and whoever comes later does not pay for them."""
    pacing = Pacing()
    assert max(pacing.rest(0.0) for _ in range(1_000)) == LONGEST
    assert pacing.rest(LONGEST) == pytest.approx(APART)


def test_turns_of_the_past_hold_nobody_up() -> None:
    """What was busy once is not waited for."""
    pacing = Pacing()
    for _ in range(100):
        pacing.rest(0.0)
    assert pacing.rest(60.0) == pytest.approx(APART)
