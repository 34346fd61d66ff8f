"""When shards have their turns."""

import pytest

from receiver.polling.beat import Beat


def test_shards_have_their_turns_together() -> None:
    """Whoever waits for a turn has the one that the first of them waits for."""
    beat = Beat()
    first = beat.after(10.0)
    assert first == pytest.approx(10.005)
    assert beat.after(10.001) == beat.after(10.004) == first
    assert beat.after(first) > first


def test_who_had_nothing_to_do_waits_for_nobody() -> None:
    """The turn after its last one is long over, or no later than it always was."""
    beat = Beat()
    assert beat.after(20.0) == pytest.approx(20.005)
    assert beat.after(10.0) <= 20.005
    assert beat.after(30.0) == pytest.approx(30.005)
