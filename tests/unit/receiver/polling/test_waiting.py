"""The order in which due watches go."""

from handlers.provider import RECONCILIATION
from receiver.polling.waiting import Waiting
from receiver.registration.registered import REGISTRATION
from receiver.watches.requests import LOOK_UP


def key(kind: str, name: str = "1") -> str:
    """Return the key of a watch."""
    return f"a/{kind}/{name}"


def test_a_reconciliation_holds_up_nothing() -> None:
    """The registration goes first, then all look-ups at once, then what is polled, then it."""
    waiting = Waiting()
    for name in ("1", "2"):
        waiting.add(key(RECONCILIATION, name), 10.0)
    waiting.add(key("root"), 20.0)
    for name in ("1", "2"):
        waiting.add(key(LOOK_UP, name), 30.0)
    waiting.add(key(REGISTRATION), 40.0)
    assert len(list(waiting)) == 6
    assert waiting.since == 10.0
    taken = []
    while waiting:
        taken.append(waiting.take())
    assert taken == [
        [key(REGISTRATION)],
        [key(LOOK_UP, "1"), key(LOOK_UP, "2")],
        [key("root")],
        [key(RECONCILIATION, "1")],
        [key(RECONCILIATION, "2")],
    ]
    assert waiting.since is None
