"""The nemesis: what befalls replicas and the group whatever they do at that moment."""

import asyncio
from collections.abc import Callable
from random import Random

from tests.simulation.world import World

_LONG = 60.0


async def torment(world: World, rng: Random, names: list[str], seconds: float) -> None:
    """Have something happen now and then to the replicas of these names, for so long."""

    def blackout(_: str) -> None:
        for name in list(world.replicas):
            world.cut_off(name, rng.uniform(1.0, 10.0))

    def rebalance(_: str) -> None:
        for group in world.cluster.groups.values():
            group.shake()

    acts: dict[Callable[[str], None], float] = {
        world.crash: 3,
        lambda name: world.freeze(name, rng.uniform(0.1, 5.0)): 2,
        lambda name: world.freeze(name, rng.uniform(5.0, _LONG)): 2,
        lambda name: world.cut_off(name, rng.uniform(0.5, 20.0)): 2,
        blackout: 1,
        rebalance: 3,
    }
    end = asyncio.get_running_loop().time() + seconds
    while (pause := rng.expovariate(1 / 10)) + asyncio.get_running_loop().time() < end:
        await asyncio.sleep(pause)
        [act] = rng.choices(list(acts), list(acts.values()))
        act(rng.choice(names))
    await asyncio.sleep(max(0.0, end - asyncio.get_running_loop().time()))
