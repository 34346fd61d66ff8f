"""Faults of the network between one replica and some of the brokers."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Self

from tests.chaos.faults.base import Area, Fault, Targets, seconds
from tests.chaos.proxy import Link
from tests.chaos.world import World

_BETWEEN_RESETS = 0.5


@dataclass(frozen=True)
class _NetworkFault(Fault):
    areas = frozenset({Area.NETWORK})
    service: int
    nodes: tuple[int, ...]

    @staticmethod
    def _nodes(rng: Random, targets: Targets) -> tuple[int, ...]:
        return tuple(sorted(rng.sample(range(targets.nodes), rng.randint(1, targets.nodes))))

    def links(self, world: World) -> Iterator[Link]:
        """Yield the links that it breaks."""
        for node in self.nodes:
            yield world.links[self.service][node]

    async def heal(self, world: World) -> None:
        """Let everything through again."""
        for link in self.links(world):
            link.mend()


@dataclass(frozen=True)
class NetworkCut(_NetworkFault):
    """Nothing comes through, and nothing says so; what was under way arrives late."""

    name = "network cut"

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one that is short or outlasts the session of 6 s."""
        return cls(seconds(rng, 3, 12), targets.networked, cls._nodes(rng, targets))

    async def inject(self, world: World) -> None:
        """Cut."""
        for link in self.links(world):
            link.cut()


@dataclass(frozen=True)
class NetworkDelayed(_NetworkFault):
    """Everything comes through late. ``delay`` is in seconds, each way."""

    name = "network delayed"
    delay: float

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one that is a nuisance, or longer than some time-outs bear."""
        nodes = cls._nodes(rng, targets)
        delay = rng.choice((0.05, 0.2, 0.6))
        return cls(seconds(rng, 4, 10), targets.networked, nodes, delay)

    async def inject(self, world: World) -> None:
        """Slow down."""
        for link in self.links(world):
            link.delay = self.delay


@dataclass(frozen=True)
class NetworkReset(_NetworkFault):
    """Every connection is reset, again and again."""

    name = "network reset"
    times: int

    @classmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one of several resets, half a second apart."""
        return cls(0.0, targets.networked, cls._nodes(rng, targets), rng.randint(3, 10))

    async def inject(self, world: World) -> None:
        """Reset."""
        for _ in range(self.times):
            for link in self.links(world):
                link.reset()
            await asyncio.sleep(_BETWEEN_RESETS)
