"""What every fault is: something that breaks, is left broken for a while, and is mended."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import ClassVar, Self

from tests.chaos.world import World

INJECT_WITHIN = 300.0
HEAL_WITHIN = 300.0
"""Seconds; far more than a quiet machine needs, since how fast all is whole again is no finding."""


class Area(StrEnum):
    """What a fault breaks; two faults of one area are never under way at once.

    So there is always a majority of brokers, unless all are gone on purpose, and a replica that is
    neither dead nor cut off.
    """

    BROKERS = "brokers"
    SERVICES = "services"
    NETWORK = "network"
    CLOCKS = "clocks"


@dataclass(frozen=True, slots=True)
class Targets:
    """Who may be hit: a node, and for each area a replica of its own."""

    node: int
    partition: int
    nodes: int
    service: int
    networked: int
    clocked: int


@dataclass(frozen=True)
class Fault(ABC):
    """One fault of a plan. ``hold`` is how long it lasts, in seconds, once it has taken hold.

    Its ``repr`` says all there is to say to make it again.
    """

    name: ClassVar[str]
    areas: ClassVar[frozenset[Area]]

    hold: float

    @classmethod
    @abstractmethod
    def draw(cls, rng: Random, targets: Targets) -> Self:
        """Return one with details of chance."""

    @abstractmethod
    async def inject(self, world: World) -> None:
        """Break it; return when it is truly broken. Raises AssertionError if it did not break."""

    @abstractmethod
    async def heal(self, world: World) -> None:
        """Mend it; return when it is whole. Raises AssertionError for an end that is not right."""

    async def strike(self, world: World) -> None:
        """Break it, hold it, mend it, each within a limit.

        Raises:
            AssertionError: it did not break, or what it broke did not behave.
            TimeoutError: it could be neither broken nor mended in time.

        """
        async with asyncio.timeout(INJECT_WITHIN):
            await self.inject(world)
        await asyncio.sleep(self.hold)
        async with asyncio.timeout(HEAL_WITHIN):
            await self.heal(world)


def seconds(rng: Random, least: float, most: float) -> float:
    """Return a time between two, in tenths of a second."""
    return round(rng.uniform(least, most), 1)
