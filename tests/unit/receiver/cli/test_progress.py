"""How far a command is: a bar for people at a terminal, lines or nothing for others."""

from io import StringIO

import pytest
from rich.console import Console

from receiver.cli.progress import Screen


def shown(*, terminal: bool, transient: bool) -> str:
    """Return what is written about a step of two parts."""
    file = StringIO()
    console = Console(file=file, force_terminal=terminal, width=80, color_system=None)
    with Screen(console, transient=transient) as screen:
        for done in (1, 2):
            screen.step("parts moved")(done, 2)
    return file.getvalue()


def test_without_a_terminal_there_are_lines() -> None:
    """The first and the last part are told, whatever the time."""
    first, last = shown(terminal=False, transient=False).splitlines()
    assert first.startswith("parts moved: 1 of 2, about ")
    assert last == "parts moved: 2 of 2"


def test_what_is_soon_over_writes_no_lines() -> None:
    """The errors of a command in a script are not mixed with its progress."""
    assert shown(terminal=False, transient=True) == ""


@pytest.mark.parametrize("transient", [False, True])
def test_a_terminal_shows_a_bar(transient: bool) -> None:
    """It says what, and how much of how much; a transient one is erased in the end."""
    told = shown(terminal=True, transient=transient)
    assert "parts moved" in told
    assert "2/2" in told
    assert told.endswith("\x1b[2K") == transient
