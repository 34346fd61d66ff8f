"""Faults of the brokers. Each is mended when the cluster says that all its replicas are in sync."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Self

from tests.chaos.faults.base import HEAL_WITHIN, Area, Fault, Targets, seconds
from tests.chaos.world import World, eventually

_OWNED_WITHIN = 40.0


@dataclass(frozen=True)
class _BrokerFault(Fault):
    areas = frozenset({Area.BROKERS})

    async def heal(self, world: World) -> None:
        """Thaw and start whatever is frozen or dead."""
        await asyncio.to_thread(world.cluster.heal, HEAL_WITHIN)


@dataclass(frozen=True)
class BrokerKilled(_BrokerFault):
    """A broker is killed with SIGKILL, and started again."""

    name = "broker killed"
    node: int

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one that is short or outlasts the broker's session of 3 s."""
        return cls(seconds(rng, 1, 6), targets.node)

    async def inject(self, world: World) -> None:
        """Kill it."""
        await asyncio.to_thread(world.cluster.kill, self.node)


@dataclass(frozen=True)
class AllBrokersGone(_BrokerFault):
    """Every broker is killed, and they are started together; the spools take what comes."""

    name = "all brokers gone"
    nodes: tuple[int, ...]

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one in which they die in an order of chance."""
        return cls(seconds(rng, 4, 10), tuple(rng.sample(range(targets.nodes), targets.nodes)))

    async def inject(self, world: World) -> None:
        """Kill them one after another, at once."""
        for node in self.nodes:
            await asyncio.to_thread(world.cluster.kill, node)


@dataclass(frozen=True)
class BrokerFrozen(_BrokerFault):
    """A broker is stopped with SIGSTOP, perhaps until others lead in its place, and thawed."""

    name = "broker frozen"
    node: int

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one that is short or outlasts the broker's session of 3 s."""
        return cls(seconds(rng, 2, 9), targets.node)

    async def inject(self, world: World) -> None:
        """Freeze it."""
        await asyncio.to_thread(world.cluster.pause, self.node)


@dataclass(frozen=True)
class LedgerLeaderFrozen(_BrokerFault):
    """The leader of a ledger partition is frozen, its owner killed; it thaws as an heir restores.

    It thaws ``thaw_after`` seconds after the death, which the group notices after 6. As long as it
    believes that it leads, it would tell the heir an end of long ago. That lasts for milliseconds,
    so that to meet it here takes luck: ``tests/kafka/test_sabotage.py`` holds the moment still, and
    shows that a restore which asks for the end is caught.
    """

    name = "ledger's leader frozen, takeover as it thaws"
    areas = frozenset({Area.BROKERS, Area.SERVICES})
    partition: int
    thaw_after: float

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one that outlasts the broker's session of 3 s."""
        return cls(seconds(rng, 4, 6), targets.partition, seconds(rng, 5.5, 8))

    async def inject(self, world: World) -> None:
        """Freeze the leader, and wait until the partition has another one and an owner."""
        leader = await asyncio.to_thread(world.cluster.leader, world.ledger, self.partition)
        await asyncio.to_thread(world.cluster.pause, leader)

        async def owned() -> bool:
            return await world.owner(self.partition) is not None

        await eventually(owned, "the partition had no owner", _OWNED_WITHIN)

    async def heal(self, world: World) -> None:
        """Kill the owner, thaw the leader about when there is an heir, start the owner again."""
        owner = await world.owner(self.partition)
        assert owner is not None, "the partition had no owner to kill"
        await asyncio.to_thread(world.replicas[owner].kill)
        await asyncio.sleep(self.thaw_after)
        world.cluster.thaw()
        await asyncio.to_thread(world.cluster.await_ready, timeout=HEAL_WITHIN)
        await asyncio.to_thread(world.replicas[owner].start)


@dataclass(frozen=True)
class ControllerKilled(_BrokerFault):
    """The active controller of the cluster is killed, and started again."""

    name = "controller killed"

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:  # noqa: ARG003 - the cluster chose it
        """Return one that is short or outlasts the election of another."""
        return cls(seconds(rng, 1, 6))

    async def inject(self, world: World) -> None:
        """Kill it."""
        controller = world.cluster.controller
        assert controller >= 0, "the cluster has no controller"
        await asyncio.to_thread(world.cluster.kill, controller)
