"""Faults of a replica's machine: its disk is full, its clock is set."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from tests.chaos.faults.base import Area, Fault, Targets, seconds
from tests.chaos.world import World, eventually

_TAKES_HOLD_WITHIN = 40.0


@dataclass(frozen=True)
class DiskFull(Fault):
    """A replica that Kafka is away for can write no more to its spool either.

    Its disk is mended. Then it goes on with a new file by itself, or it is ended and started again
    if ``restarted``. ``network_first`` says whether it gets Kafka back before that or after.
    """

    name = "disk full under the spool"
    areas = frozenset({Area.SERVICES})
    service: int
    network_first: bool
    restarted: bool

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one."""
        chance = (True, False)
        return cls(seconds(rng, 1, 4), targets.service, rng.choice(chance), rng.choice(chance))

    async def inject(self, world: World) -> None:
        """Cut Kafka off until something is spooled, then let the spool's files grow no more."""
        replica = world.replicas[self.service]

        async def spooled() -> bool:
            waiting = await replica.gauges(world.session, "payevents_spool_observations")
            return waiting.get("", 0.0) > 0

        for link in world.links[self.service]:
            link.cut()
        await eventually(spooled, "nothing was spooled", _TAKES_HOLD_WITHIN)
        replica.fill_disk()
        await self._await_spool(world, 0.0, "the full disk was not noticed")

    async def heal(self, world: World) -> None:
        """Free the disk, have the replica go on or start it again, give it Kafka back."""
        replica = world.replicas[self.service]
        replica.free_disk()
        if self.network_first:
            self._mend(world)
        if self.restarted:
            code = await asyncio.to_thread(replica.terminate)
            assert code == 0, f"{replica.name} ended with {code} after SIGTERM"
            await asyncio.to_thread(replica.start)
        else:
            await self._await_spool(world, 1.0, "the mended disk was not used again")
        self._mend(world)

    async def _await_spool(self, world: World, state: float, what: str) -> None:
        replica = world.replicas[self.service]

        async def reached() -> bool:
            available = await replica.gauges(world.session, "payevents_spool_available")
            return available.get("") == state

        await eventually(reached, what, _TAKES_HOLD_WITHIN)

    def _mend(self, world: World) -> None:
        for link in world.links[self.service]:
            link.mend()


@dataclass(frozen=True)
class _ClockSet(Fault):
    areas = frozenset({Area.CLOCKS})
    direction: ClassVar[int]
    service: int
    offset: float

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one of minutes or of hours."""
        offset = rng.choice((120, 600, 3 * 3600, 30 * 3600)) * cls.direction
        return cls(seconds(rng, 4, 10), targets.clocked, offset)

    async def inject(self, world: World) -> None:
        """Set the clock."""
        world.replicas[self.service].set_clock(self.offset)

    async def heal(self, world: World) -> None:
        """Set it right, which is a jump of its own."""
        world.replicas[self.service].set_clock(0.0)


@dataclass(frozen=True)
class ClockForward(_ClockSet):
    """A replica's wall clock jumps ahead, by ``offset`` seconds."""

    name = "clock jumps ahead"
    direction = 1


@dataclass(frozen=True)
class ClockBack(_ClockSet):
    """A replica's wall clock jumps back, by ``offset`` seconds."""

    name = "clock jumps back"
    direction = -1
