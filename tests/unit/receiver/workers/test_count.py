"""How many workers are asked for."""

import pytest

from receiver.workers.count import count_of


def test_a_number_is_that_number() -> None:
    """So many are started, however many CPUs there are."""
    assert [count_of(text) for text in ("1", " 2 ", "64")] == [1, 2, 64]


@pytest.mark.parametrize("text", ["auto", "AUTO", "0"])
def test_auto_is_one_for_each_cpu(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the process may use count, and no others."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert count_of(text) == 3


@pytest.mark.parametrize("text", ["", "-1", "two", "1.5"])
def test_anything_else_is_refused(text: str) -> None:
    """A slip is not taken for a number."""
    with pytest.raises(ValueError, match=r"."):
        count_of(text)
