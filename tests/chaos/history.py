"""What was done to the service in a run, and when."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.faults import Fault
from tests.chaos.plan import Round
from tests.chaos.world import TookTooLong, World, eventually

SETTLED_WITHIN = 30.0
"""Seconds that a round waits for peace; without it the faults strike all the same."""


@dataclass(slots=True)
class Struck:
    """One fault that struck; times are in seconds since 1970, ``ended`` when all was mended.

    ``failure`` says what went wrong with it: it took no hold, or what it broke did not behave.
    """

    fault: Fault
    began: float
    ended: float = float("inf")
    failure: str = ""


@dataclass(slots=True)
class History:
    """All that struck, in order. ``say`` is told as it happens, a line at a time."""

    say: Callable[[str], None]
    began: float = field(default_factory=time.time)
    struck: list[Struck] = field(default_factory=list)

    def note(self, line: str) -> None:
        """Say a line with the time since the beginning."""
        self.say(f"{time.time() - self.began:7.1f} s  {line}")

    async def carry_out(self, planned: Round, world: World) -> None:
        """Let a round's faults strike; return when all of it is whole again."""
        self.note(f"round {planned}")
        if planned.settled:
            with contextlib.suppress(TookTooLong):
                await eventually(world.running, "not settled", SETTLED_WITHIN)
        pairs = zip(planned.faults, planned.after, strict=True)
        await asyncio.gather(*(self._strike(fault, after, world) for fault, after in pairs))
        await asyncio.sleep(planned.pause)

    async def _strike(self, fault: Fault, after: float, world: World) -> None:
        await asyncio.sleep(after)
        struck = Struck(fault, time.time())
        self.struck.append(struck)
        try:
            await fault.strike(world)
        except Exception as error:  # noqa: BLE001 - the run goes on, and is not clean
            struck.failure = f"{fault}: {error!r}"
            self.note(f"FAILED {struck.failure}")
            await world.heal()
        struck.ended = time.time()
        self.note(f"whole again: {fault.name}")

    def counts(self) -> Counter[str]:
        """Return how many faults of each kind struck and did what they should."""
        return Counter(struck.fault.name for struck in self.struck if not struck.failure)

    def failures(self) -> list[str]:
        """Return what went wrong with faults."""
        return [struck.failure for struck in self.struck if struck.failure]

    def during(self, began: float, ended: float) -> list[str]:
        """Return the faults that were there at some moment between two times."""
        there = (s.fault.name for s in self.struck if s.began <= ended and s.ended >= began)
        return list(dict.fromkeys(there))
