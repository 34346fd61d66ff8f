"""Zombies: an owner that was frozen finds another at work, and does not fight it."""

import asyncio
from random import Random

import pytest

from tests.simulation import loop
from tests.simulation.faults import Fate, Faults, Kind, Point
from tests.simulation.programs import route
from tests.simulation.sabotage import start_again_when_fenced
from tests.simulation.traffic import Sender, webhooks
from tests.simulation.verdict import all_handled, assert_exactly_once, assert_positions_sound
from tests.simulation.world import TOPICS, World, told

FROZEN_AT, FROZEN_FOR = 10.0, 40.0
THAWED_AT = FROZEN_AT + FROZEN_FOR
MOST_STARTS = 4
"""After a thaw: the zombie's own, once, and that of the owner it fenced; and both may wait."""


class SlowGroup(Faults):
    """After the thaw the zombie hears from its group only after eight seconds."""

    def fate(self, point: Point) -> Fate:
        """Return what befalls the request."""
        hears = point.operation in {"join", "heartbeat"} and point.process == "zombie"
        if hears and THAWED_AT <= point.at < THAWED_AT + 8.0:
            return Fate(Kind.SLOW_ANSWER, 8.0)
        return Fate()


async def thaw(seed: int) -> None:
    """Freeze an owner under traffic, thaw it long after another took over, and judge."""
    world = World(seed, SlowGroup())
    rng = Random(seed)
    sender = Sender(webhooks(rng, 60), rng, 80.0)
    try:
        with told(world):
            world.start("zombie", route)
            await asyncio.sleep(2.0)
            world.start("sender", sender.run, mortal=False)
            await asyncio.sleep(FROZEN_AT - 2.0)
            world.freeze("zombie", FROZEN_FOR)
            world.start("heir", route)
            await asyncio.sleep(FROZEN_FOR)
            await world.until(
                lambda: sender.done and all_handled(world.cluster, TOPICS.inbox, TOPICS.ledger),
                120.0,
                "not all is handled",
            )
            assert_exactly_once(world.cluster, sender.sent())
            assert_positions_sound(world.cluster)
            for name, starts in world.cluster.transactions.starts.items():
                after = [at for at in starts if at >= THAWED_AT]
                assert len(after) <= MOST_STARTS, f"{name} starts again and again: {after}"
    finally:
        await world.close()


@pytest.mark.parametrize("seed", range(5))
def test_a_thawed_zombie_does_not_quarrel(seed: int) -> None:
    """The zombie is fenced, and each partition changes hands a few times at most."""
    loop.run(thaw(seed))


def test_a_quarrel_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where fenced shards start again at once, they steal their partitions back and forth."""
    start_again_when_fenced(monkeypatch)
    with pytest.raises(AssertionError, match="again and again"):
        loop.run(thaw(0))
