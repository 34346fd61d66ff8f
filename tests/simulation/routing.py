"""A run of routers: traffic, faults, healing, and what must hold afterwards."""

import asyncio
from dataclasses import dataclass
from random import Random

from tests.simulation import loop
from tests.simulation.faults import Faults, SeededFaults
from tests.simulation.nemesis import torment
from tests.simulation.programs import route, router_spec
from tests.simulation.traffic import Sender, webhooks
from tests.simulation.verdict import (
    all_handled,
    assert_exactly_once,
    assert_positions_sound,
    letters,
)
from tests.simulation.world import TOPICS, World, told

SETTLED_WITHIN = 120.0
"""Seconds after the last fault within which everything is handled.

A request may still arrive 25 s late and fence an owner; it waits for one session time-out then. A
start that got no answer asks again after 10 s, and a rebalance waits as long for who is gone.
"""
MOST_STARTS = 12
"""Sessions that a partition may start after the last fault; two owners in a quarrel need more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of.

    ``seconds`` is how long faults happen, ``rate`` their share of all requests, and ``calm`` for
    how long nothing at all may happen after everything is handled.
    """

    seed: int
    faults: Faults | None = None
    rate: float = 0.03
    seconds: float = 40.0
    invoices: int = 12
    replicas: int = 2
    partitions: int = 2
    nemesis: bool = True
    calm: float = 15.0


def simulate(plan: Plan) -> World:
    """Make a run of its own, and return the world as it was at the end.

    Raises:
        AssertionError: something does not hold; its notes tell the seed and what happened.
    """
    return loop.run(_simulate(plan))


async def _simulate(plan: Plan) -> World:
    faults = plan.faults or SeededFaults(Random(f"faults {plan.seed}"), plan.rate)
    world = World(plan.seed, faults, plan.partitions)
    rng = Random(f"traffic {plan.seed}")
    sender = Sender(webhooks(rng, plan.invoices), rng, plan.seconds * 0.8)
    try:
        with told(world):
            await _live(world, plan, sender)
            _judge(world, sender)
    finally:
        await world.close()
    return world


async def _live(world: World, plan: Plan, sender: Sender) -> None:
    world.start("sender", sender.run, mortal=False)
    names = [f"router-{number}" for number in range(plan.replicas)]
    for name in names:
        world.start(name, route)
    if plan.nemesis:
        await torment(world, Random(f"nemesis {plan.seed}"), names, plan.seconds)
        world.heal()
    healed = asyncio.get_running_loop().time()
    await world.until(
        lambda: sender.done and all_handled(world.cluster, TOPICS.inbox, TOPICS.ledger),
        SETTLED_WITHIN + plan.seconds,
        "not all is handled",
    )
    await asyncio.sleep(plan.calm)
    assert not world.ended(), f"ended by themselves: {world.ended()}"
    for name, starts in world.cluster.transactions.starts.items():
        after = [at for at in starts if at > max(healed, plan.seconds)]
        assert len(after) <= MOST_STARTS, f"{name} starts again and again: {after}"


def _judge(world: World, sender: Sender) -> None:
    assert_exactly_once(world.cluster, sender.sent())
    assert_positions_sound(world.cluster)
    unreadable = {webhook.body for webhook in sender.acknowledged if not webhook.facts}
    assert letters(world.cluster) >= unreadable, "dead letters are lost"
    spec = router_spec(world.partitions)
    for partition in range(world.partitions):
        assert spec.transactional_id(partition) in world.cluster.transactions.starts
