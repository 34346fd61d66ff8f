"""Printing data: a table for people, JSON for programs."""

from collections.abc import Mapping, Sequence

_ENDLESS = 100_000
"""Columns of an output that is no terminal."""


def as_json(data: object) -> str:
    """Return ``data`` as JSON, indented."""
    import orjson

    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()


def is_unread() -> bool:
    """Tell whether whoever read standard output, such as ``head``, has closed it."""
    import select
    import sys

    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)
    except OSError:
        # It is no file, but kept in memory.
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def give_up_output() -> None:
    """Drop what is still to be printed, which nobody reads: the interpreter would complain."""
    import os
    import sys

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_json(data: object) -> None:
    """Print ``data`` as JSON, indented."""
    import typer

    typer.echo(as_json(data))


def print_table(rows: Sequence[Mapping[str, object]], columns: Sequence[str], empty: str) -> None:
    """Print the columns of ``rows``, or the sentence ``empty`` without any."""
    import sys

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Without a terminal nobody wants lines broken at 80 columns.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _ENDLESS)
    if not rows:
        console.print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        # Text, not str: what a provider wrote must not be taken for markup.
        table.add_row(*(Text(_shown(row.get(column))) for column in columns))
    console.print(table)


def _shown(value: object) -> str:
    return "-" if value in (None, "") else printable(str(value))


def printable(text: str) -> str:
    """Return ``text`` without what could drive a terminal: whoever wrote it is not trusted."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """Return ``text`` as :func:`printable` and on one line: it must not look like lines of ours."""
    return printable(text).replace("\n", "\\n")
