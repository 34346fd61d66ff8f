"""Faults of the replicas: killed, frozen past every time-out, rolled, joined and left in a row."""

import asyncio
import contextlib
from dataclasses import dataclass
from random import Random
from typing import Self

from tests.chaos.faults.base import Area, Fault, Targets, seconds
from tests.chaos.world import TookTooLong, World, eventually

_ASSIGNED_WITHIN = 200.0
_OWNING_WITHIN = 10.0


@dataclass(frozen=True)
class ServiceKilled(Fault):
    """A replica is killed with SIGKILL, and started again."""

    name = "service killed"
    areas = frozenset({Area.SERVICES})
    service: int

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one that is back before others notice, or after."""
        return cls(seconds(rng, 0, 8), targets.service)

    async def inject(self, world: World) -> None:
        """Kill it."""
        await asyncio.to_thread(world.replicas[self.service].kill)

    async def heal(self, world: World) -> None:
        """Start it."""
        await asyncio.to_thread(world.replicas[self.service].start)


@dataclass(frozen=True)
class ServiceFrozen(Fault):
    """A replica is stopped with SIGSTOP past its session and its transactions, then goes on.

    It comes back a zombie: it believes that it owns what others took over.
    """

    name = "service frozen past its time-outs"
    areas = frozenset({Area.SERVICES})
    service: int

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one that outlasts the transaction time-out of 10 s."""
        return cls(seconds(rng, 12, 15), targets.service)

    async def inject(self, world: World) -> None:
        """Freeze it, at best when it owns a partition to come back to as a zombie."""
        with contextlib.suppress(TookTooLong):
            await eventually(lambda: world.owns(self.service), "it owns nothing", _OWNING_WITHIN)
        world.replicas[self.service].pause()

    async def heal(self, world: World) -> None:
        """Thaw it."""
        world.replicas[self.service].resume()


@dataclass(frozen=True)
class ServicesRolled(Fault):
    """Each replica in turn is asked to end with SIGTERM, and started again when it has."""

    name = "services rolled"
    areas = frozenset({Area.SERVICES})

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:  # noqa: ARG003 - it is everybody's turn
        """Return one."""
        return cls(seconds(rng, 0, 1))

    async def inject(self, world: World) -> None:
        """Roll all of them."""
        for replica in world.replicas:
            code = await asyncio.to_thread(replica.terminate)
            assert code == 0, f"{replica.name} ended with {code} after SIGTERM"
            await asyncio.to_thread(replica.start)

    async def heal(self, world: World) -> None:
        """Do nothing: they run."""


@dataclass(frozen=True)
class Rebalances(Fault):
    """A replica more joins and leaves, several times in a row; the last time it is killed."""

    name = "rebalances in a row"
    areas = frozenset({Area.SERVICES})
    times: int

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:  # noqa: ARG003 - the visitor is nobody's
        """Return one of three or four visits."""
        return cls(seconds(rng, 0, 1), rng.choice((3, 4)))

    async def inject(self, world: World) -> None:
        """Come and go."""
        for visit in range(self.times):
            await asyncio.to_thread(world.visitor.start)
            await asyncio.to_thread(
                world.visitor.await_line, "partitions assigned", _ASSIGNED_WITHIN
            )
            if visit < self.times - 1:
                code = await asyncio.to_thread(world.visitor.terminate)
                assert code == 0, f"the visitor ended with {code} after SIGTERM"

    async def heal(self, world: World) -> None:
        """Kill the last one: the group notices when its session ends."""
        await asyncio.to_thread(world.visitor.kill)
