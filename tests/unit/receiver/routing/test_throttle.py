"""Which signs are told, and when, from one transaction of a session to the next."""

from datetime import UTC, datetime, timedelta

from receiver.registration.signs import Announced
from receiver.routing.throttle import Throttle

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
AT = NOW.timestamp()
MINUTE = timedelta(minutes=1)


def sign_of_life(after: float, account: str = "shop") -> Announced:
    """Return a sign of life so many seconds later."""
    return Announced(account, "invoice/paid", AT + after)


def test_a_sign_of_life_is_told_once() -> None:
    """The first in the next commit and not in those after it, the last when its minute is over."""
    throttle = Throttle()
    first, other, between, last = (
        sign_of_life(0),
        sign_of_life(0, "other"),
        sign_of_life(1),
        sign_of_life(2),
    )
    assert not throttle.admits(first)
    assert not throttle.admits(other)
    assert throttle.is_due(NOW)
    assert throttle.due(NOW) == [first, other]
    assert not throttle.admits(last)
    assert not throttle.admits(between)
    assert not throttle.is_due(NOW)
    assert throttle.due(NOW) == []
    assert throttle.is_due(NOW + MINUTE)
    assert throttle.due(NOW + MINUTE) == [last]
    assert not throttle.is_due(NOW + MINUTE)
    assert throttle.due(NOW + MINUTE) == []
