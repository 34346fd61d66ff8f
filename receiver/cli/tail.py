"""``payevents tail``."""

import asyncio
from collections.abc import Collection

import orjson
import typer

from config.settings import Settings
from receiver.cli.kafka import run
from receiver.cli.output import give_up_output
from receiver.kafka.clients import Clients
from receiver.kafka.following import following

_WIDTHS = (24, 34, 36, 16)


def tail(
    settings: Settings, topics: list[str], *, json: bool, from_beginning: bool, count: int | None
) -> None:
    """Print events as they are committed, until ``count`` were or somebody presses Ctrl-C."""
    chosen = _chosen(settings, topics)

    async def print_events(clients: Clients) -> None:
        left = count
        async with following(clients, chosen, from_beginning=from_beginning) as records:
            if not json:
                typer.echo(_line("TIME", "TYPE", "SUBJECT", "AMOUNT", "ORIGIN"))
            async for record in records:
                typer.echo(record.value if json else _told(record.value))
                if left is not None:
                    left -= 1
                    if left == 0:
                        return

    # Ctrl-C, or a reader who has seen enough, is how following ends, and no failure.
    try:
        run(settings, print_events)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return
    except BrokenPipeError:
        give_up_output()


def _chosen(settings: Settings, topics: Collection[str]) -> list[str]:
    known = settings.topics.events
    prefix = settings.kafka.topic_prefix
    chosen = [name if name in known else prefix + name for name in topics]
    unknown = [name for name in chosen if name not in known]
    if unknown:
        told = f"no topic for events: {', '.join(unknown)}; there are {', '.join(known)}"
        raise typer.BadParameter(told, param_hint="--topic")
    return chosen or list(known)


def _told(value: bytes | None) -> str:
    try:
        event = orjson.loads(value or b"")
        data = event["data"]
        amount = data["amount"]
        return _line(
            event["time"],
            event["type"],
            event["subject"],
            f"{amount['value']} {amount['currency']}" if amount else "-",
            data["origin"] + _marks(data),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "(a record that is no event of payevents)"


def _marks(data: dict[str, object]) -> str:
    marks = [mark for mark in ("inferred", "late", "test") if data.get(mark)]
    return f" ({', '.join(marks)})" if marks else ""


def _line(*cells: str) -> str:
    *padded, last = cells
    return "  ".join([*(f"{c:<{w}}" for c, w in zip(padded, _WIDTHS, strict=True)), last])
