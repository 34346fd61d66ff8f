"""The drain's time, which passes only while it sleeps."""

from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import cast

from receiver.kafka.appender import Appender
from receiver.spool.drain import Drain
from receiver.spool.spool import Spool


class TimeIsUp(Exception):
    """The drain has run for as long as it should."""


@dataclass
class Clock:
    """Seconds since the start, and how long each sleep was."""

    time: float = 0.0
    ends: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Return the time."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        if self.time >= self.ends:
            raise TimeIsUp
        self.slept.append(seconds)
        # A sleep that takes no time is seen in what was slept, and ends all the same.
        self.time += max(seconds, 0.01)

    async def run(self, drain: Drain, *, seconds: float) -> None:
        """Have a drain run until it is so late."""
        self.ends = seconds
        with suppress(TimeIsUp):
            await drain.run()


def timed_drain_of(spool: Spool, kafka: object, seed: int = 1) -> tuple[Drain, Clock]:
    """Return a drain of ``spool`` into ``kafka``, and its time."""
    clock = Clock()
    appender = cast("Appender", kafka)
    return Drain(spool, appender, "inbox", Random(seed), sleep=clock.sleep, now=clock.now), clock
