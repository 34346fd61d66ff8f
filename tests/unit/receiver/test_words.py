"""Counts and names in sentences."""

from receiver.words import counted, listed


def test_one_is_not_many() -> None:
    """Nobody reads of "1 accounts"; what has another plural is given it."""
    assert [counted(number, "account") for number in (0, 1, 2)] == [
        "0 accounts",
        "1 account",
        "2 accounts",
    ]
    assert counted(2, "watch", "watches") == "2 watches"


def test_a_long_list_is_cut() -> None:
    """The first are named, and how many more there are."""
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
