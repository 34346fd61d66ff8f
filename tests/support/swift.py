"""The command ``payevents``, for which minutes are seconds and a day is twenty of them.

Everything keeps its proportions, so that minutes show what would take days.
"""

from datetime import timedelta
from types import ModuleType

from handlers.smartpay import reconciliation, windows
from receiver.cli import main
from receiver.registration import aftermath, moves, proof, situation, suspicion, sweeping

OVERLAP = timedelta(seconds=5)
FULL = 7
"""Rows, of the ten that a page has at the sandbox."""


def hurry() -> None:
    """Shorten what the care of an account waits for, and what it reads at a time."""
    suspicion.SHORTEST_DELAY, suspicion.LONGEST_DELAY = 5.0, 10.0
    situation._FIRST_PAUSE, situation._LONGEST_PAUSE = 4.0, 8.0
    _set(10.0, "WINDOW", proof, moves)
    moves._AFTER_THE_WINDOW = 6.0
    proof._LONGEST_PAUSE = 8.0
    aftermath._UNREACHABLE_FOR, aftermath._LONGEST_UNREACHABLE = 1.0, 4.0
    sweeping._QUIET, sweeping._APART, sweeping._APART_FOR_FAILURES = 5.0, 20.0, 40.0
    _set(OVERLAP, "OVERLAP", windows, reconciliation)
    windows.SHORTEST = timedelta(seconds=10)
    reconciliation.LONGEST_HEAD = timedelta(seconds=20)
    reconciliation.FULL = FULL


def _set(value: object, name: str, *modules: ModuleType) -> None:
    """Set a constant where it is, and where it was imported by its name."""
    for module in modules:
        setattr(module, name, value)


if __name__ == "__main__":
    hurry()
    main()
