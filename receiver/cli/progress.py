"""How far a command is, on standard error."""

from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINE_EVERY = 2.0
"""Seconds between two lines about one step, where there is no terminal."""


class Screen:
    """Shows how far each step is: a bar on a terminal, plain lines elsewhere.

    What is ``transient`` is soon over: its bars vanish at the end, and there are no lines.
    """

    def __init__(self, console: Console | None = None, *, transient: bool = False) -> None:
        self._console = console or Console(stderr=True)
        self._is_transient = transient
        self._bars: Progress | None = None
        self._tasks: dict[str, Callable[[int, int], None]] = {}
        if self._console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=self._console,
                transient=transient,
            )

    def __enter__(self) -> Self:
        """Take the terminal, if there is one."""
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back."""
        if self._bars is not None:
            self._bars.stop()

    def step(self, name: str) -> Callable[[int, int], None]:
        """Return what is to be told how far the step ``name`` is, and of how much."""
        if name not in self._tasks:
            self._tasks[name] = self._teller(name)
        return self._tasks[name]

    def _teller(self, name: str) -> Callable[[int, int], None]:
        if self._bars is not None:
            return _bar(self._bars, name)
        return _nothing if self._is_transient else _lines(self._console, name)


def _bar(bars: Progress, name: str) -> Callable[[int, int], None]:
    task = bars.add_task(name, total=None)

    def tell(done: int, of: int) -> None:
        bars.update(task, completed=done, total=of)

    return tell


def _lines(console: Console, name: str) -> Callable[[int, int], None]:
    started = monotonic()
    told = started - _LINE_EVERY

    def tell(done: int, of: int) -> None:
        nonlocal told
        now = monotonic()
        if done == of or now - told >= _LINE_EVERY:
            told = now
            left = ""
            if 0 < done < of:
                left = f", about {(now - started) / done * (of - done):.0f} seconds left"
            console.out(f"{name}: {done} of {of}{left}")

    return tell


def _nothing(_done: int, _of: int) -> None:
    """Tell nobody."""
