"""The trace of a run: what happened, in order, the same for the same seed."""

import asyncio
from collections.abc import Mapping, MutableMapping
from hashlib import sha256
from typing import Any

import structlog

from tests.simulation.process import CURRENT


class Trace:
    """Lines with the virtual time, who, and what."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, who: str, what: str) -> None:
        """Note that something happened now."""
        self.lines.append(f"{asyncio.get_running_loop().time():10.4f} {who:<12} {what}")

    def digest(self) -> str:
        """Return what tells two traces apart."""
        return sha256("\n".join(self.lines).encode()).hexdigest()

    def tail(self, lines: int = 400) -> str:
        """Return the last lines."""
        return "\n".join(self.lines[-lines:])

    def take_log(self, _: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Take a line of the real code's log, as a structlog processor."""
        process = CURRENT.get()
        shown = ("role", "partition", "partitions", "why", "reason", "entries", "at")
        said = " ".join(f"{name}={event[name]}" for name in shown if name in event)
        self.add(process.name if process else "-", f"log: {event['event']} {said}".rstrip())
        error = event.get("exc_info")
        if isinstance(error, BaseException):
            self.add("", repr(error))
        raise structlog.DropEvent
