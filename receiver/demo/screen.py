"""What the demo shows: a live table on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Sequence
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from handlers.event import PaymentEvent
from receiver.demo.audience import Heard, Letter
from receiver.demo.verdict import Numbers

_ROWS = 18
_LETTERS = 3


class Screen:
    """Shows events as they arrive, from ``with`` to its end."""

    def __init__(self, console: Console, numbers: Callable[[], Numbers]) -> None:
        self._console = console
        self._numbers = numbers
        self._shown = 0
        self._letters_shown: set[bytes] = set()
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        """Take the terminal, if there is one."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back, with the last picture on it."""
        if self._live is not None:
            self._live.stop()

    def show(self, heard: Heard) -> None:
        """Show what has come."""
        if self._live is not None:
            self._live.update(_picture(heard, self._numbers()), refresh=True)
            return
        for event in heard.events[self._shown :]:
            self._console.print("  ".join(_cells(event)), soft_wrap=True, highlight=False)
        self._shown = len(heard.events)
        for key in heard.letters.keys() - self._letters_shown:
            self._letters_shown.add(key)
            self._console.print(_explained(heard.letters[key]), soft_wrap=True)


def _picture(heard: Heard, numbers: Numbers) -> Group:
    table = Table(title="events on the topics", title_justify="left", expand=True)
    for column in ("time", "type", "subject", "amount", "origin", ""):
        table.add_column(column, no_wrap=True)
    for event in heard.events[-_ROWS:]:
        table.add_row(*map(Text, _cells(event)))
    parts: list[Table | Panel | Text] = [table, Text(counters(numbers), style="bold")]
    if heard.letters:
        parts.append(Panel(_letters(list(heard.letters.values())), title="dead letters"))
    return Group(*parts)


def counters(numbers: Numbers) -> str:
    """Return the counters as one line."""
    return (
        f"webhooks received {numbers.received} · forged and refused {numbers.refused}"
        f" · published {numbers.published} · duplicates dropped {numbers.duplicates}"
        f" · late {numbers.late} · dead letters {numbers.dead}"
    )


def _letters(letters: Sequence[Letter]) -> Text:
    return Text("\n").join(_explained(letter) for letter in letters[-_LETTERS:])


def _explained(letter: Letter) -> Text:
    return Text.assemble(
        ("dead letter ", "yellow"), f"{letter.account}: {letter.reason}: {letter.detail}"
    )


def _cells(event: PaymentEvent) -> tuple[str, ...]:
    amount = event.data.amount
    flags = [name for name in ("inferred", "late", "test") if getattr(event.data, name)]
    return (
        event.data.observed_at.strftime("%H:%M:%S"),
        f"{event.type:<36}",
        f"{event.subject:<24}",
        f"{'' if amount is None else f'{amount.value} {amount.currency}':>14}",
        f"{event.data.origin:<8}",
        " ".join(flags),
    )
