"""The pauses before a worker is started again."""

from receiver.workers.backoff import FIRST, LONGEST, STEADY, Backoff


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def test_each_pause_is_twice_the_one_before() -> None:
    """A worker that ends again and again is started less and less often, up to a limit."""
    backoff = Backoff(Clock())
    pauses = []
    for _ in range(40):
        backoff.ended()
        pauses.append(backoff.pause)
    assert pauses[:4] == [FIRST, 2 * FIRST, 4 * FIRST, 8 * FIRST]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST


def test_a_worker_that_served_for_a_while_begins_anew() -> None:
    """What was before is forgotten after steady work, and not by a moment of it."""
    clock = Clock()
    backoff = Backoff(clock)
    for served, failures in ((0.0, 1), (STEADY - 1, 2), (STEADY, 1), (0.0, 2)):
        backoff.serves()
        clock.now += served
        backoff.ended()
        assert backoff.failures == failures


def test_a_worker_that_never_served_has_not_been_steady() -> None:
    """However long a start took, it came to nothing."""
    clock = Clock()
    backoff = Backoff(clock)
    for failures in (1, 2, 3):
        clock.now += 2 * STEADY
        backoff.ended()
        assert backoff.failures == failures
