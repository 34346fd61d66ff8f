"""Outages: when all brokers are back, all that was lost meanwhile starts again in bounded time."""

import asyncio
from random import Random

import pytest

from tests.simulation import loop
from tests.simulation.programs import route
from tests.simulation.traffic import Sender, webhooks
from tests.simulation.verdict import all_handled, assert_exactly_once, assert_positions_sound
from tests.simulation.world import TOPICS, World, told

REPLICAS = ("one", "two")
AWAY_AT, SENT_WITHIN = 10.0, 40.0
BACK_WITHIN = 40.0
"""Seconds: a question that was lost is asked again after 15, and who is gone is waited for 10."""


async def lose_all_brokers(seed: int, seconds: float) -> None:
    """Let no replica reach anything for so long while the inbox grows, and judge what comes."""
    world = World(seed)
    rng = Random(seed)
    sender = Sender(webhooks(rng, 40), rng, SENT_WITHIN)
    try:
        with told(world):
            for name in REPLICAS:
                world.start(name, route)
            world.start("sender", sender.run, mortal=False)
            await asyncio.sleep(AWAY_AT)
            for name in REPLICAS:
                world.cut_off(name, seconds)
            await asyncio.sleep(seconds)
            await world.until(
                lambda: sender.done and all_handled(world.cluster, TOPICS.inbox, TOPICS.ledger),
                BACK_WITHIN,
                "not every partition is at work again",
            )
            assert_exactly_once(world.cluster, sender.sent())
            assert_positions_sound(world.cluster)
    finally:
        await world.close()


@pytest.mark.parametrize("seconds", [20.0, 45.0, 300.0])
@pytest.mark.parametrize("seed", range(3))
def test_all_is_at_work_again_after_an_outage(seed: int, seconds: float) -> None:
    """Whoever waits for its group goes on with the first heartbeat or assignment."""
    loop.run(lose_all_brokers(seed, seconds))
