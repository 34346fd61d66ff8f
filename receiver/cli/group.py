"""How a group of commands shows its help: plain text, which needs no library to be drawn."""

from typing import TYPE_CHECKING

from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter

_WHOLE = 1000


class Group(TyperGroup):
    """A group that shows the whole first sentence of each of its commands.

    Typer would draw boxes with rich, whose import takes as long as all the rest of ``--help``;
    without it, it cuts each sentence off at the end of the line.
    """

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the commands and what they do."""
        rows = [
            (name, command.get_short_help_str(_WHOLE))
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) is not None and not command.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
