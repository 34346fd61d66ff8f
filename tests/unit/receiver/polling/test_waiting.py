"""The order in which due watches go."""

from handlers.provider import RECONCILIATION
from receiver.polling.waiting import MOST_CLAIMS, Waiting
from receiver.registration.registered import REGISTRATION
from receiver.watches.requests import LOOK_UP


def key(kind: str, name: str = "1") -> str:
    """Return the key of a watch."""
    return f"a/{kind}/{name}"


def test_a_reconciliation_holds_up_nothing() -> None:
    """The registration goes first, then the look-ups at once, then what is polled, then it."""
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


def drained(waiting: Waiting) -> list[list[str]]:
    """Take all that waits."""
    taken = []
    while waiting:
        taken.append(waiting.take())
    return taken


def test_look_ups_go_a_few_at_a_time() -> None:
    """What one failure or one slow batch costs is bounded, however many claims wait."""
    waiting = Waiting()
    keys = [key(LOOK_UP, str(number)) for number in range(2 * MOST_CLAIMS + 1)]
    for each in keys:
        waiting.add(each, 0.0)
    taken = drained(waiting)
    assert [len(batch) for batch in taken] == [MOST_CLAIMS, MOST_CLAIMS, 1]
    assert [each for batch in taken for each in batch] == keys


def test_look_ups_and_roots_take_turns() -> None:
    """However many claims come: after each batch one root goes; parts of it still wait for all."""
    root = key(RECONCILIATION, "invoices")
    waiting = Waiting([root])
    waiting.add(key(RECONCILIATION, "part"), 0.0)
    taken = []
    for number in range(60):
        waiting.add(key(LOOK_UP, str(number)), 1.0 + number)
        if root not in waiting:
            waiting.add(root, 1.0 + number)
        if number % 10 == 9:
            taken.append(waiting.take()[0])
            if number == 29:
                waiting.add(key(REGISTRATION), 30.0)
                assert waiting.take() == [key(REGISTRATION)]
    assert taken == [key(LOOK_UP, "0"), root, key(LOOK_UP, "10"), root, key(LOOK_UP, "20"), root]


def test_parts_of_a_reconciliation_go_by_their_pace() -> None:
    """The newest go before hundreds of old ones, those never read before all, then by arrival."""
    waiting = Waiting()
    for name, pace in (("old", 900.0), ("young", 15.0), ("as old", 900.0), ("new", 0.0)):
        waiting.add(key(RECONCILIATION, name), 0.0, pace)
    names = ("new", "young", "old", "as old")
    assert list(waiting) == [key(RECONCILIATION, name) for name in names]
    assert drained(waiting) == [[key(RECONCILIATION, name)] for name in names]


def test_who_waits_longest_tells_since_when() -> None:
    """Although others go first."""
    waiting = Waiting()
    waiting.add(key(RECONCILIATION, "old"), 5.0, 900.0)
    waiting.add(key(RECONCILIATION, "young"), 6.0, 15.0)
    assert waiting.take() == [key(RECONCILIATION, "young")]
    assert waiting.since == 5.0
