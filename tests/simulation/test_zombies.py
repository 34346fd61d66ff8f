"""Zombies: an owner that was frozen finds another at work, and does not fight it."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from tests.simulation import loop
from tests.simulation.faults import Fate, Faults, Kind, Point
from tests.simulation.programs import route
from tests.simulation.sabotage import start_again_when_fenced, trust_an_old_assignment
from tests.simulation.traffic import Sender, webhooks
from tests.simulation.verdict import all_handled, assert_exactly_once, assert_positions_sound
from tests.simulation.world import TOPICS, World, told

FROZEN_AT, FROZEN_FOR = 10.0, 40.0
THAWED_AT = FROZEN_AT + FROZEN_FOR
DEAF_AT, HEARING_AT = 20.0, 320.0
MOST_STARTS = 1
"""After a thaw, of each partition: only that of the zombie which is given it again."""


class SlowGroup(Faults):
    """The zombie's last commit is lost; after the thaw its group is silent for eight seconds."""

    def fate(self, point: Point) -> Fate:
        """Return what befalls the request."""
        hears = point.operation in {"join", "heartbeat"} and point.process == "zombie"
        if hears and THAWED_AT <= point.at < THAWED_AT + 8.0:
            return Fate(Kind.SLOW_ANSWER, 8.0)
        if point.operation == "commit" and FROZEN_AT - 5.0 <= point.at < FROZEN_AT:
            return Fate(Kind.LOST)
        return Fate()


class DeafGroup(Faults):
    """For minutes nothing that one replica asks its group arrives; all else does."""

    def fate(self, point: Point) -> Fate:
        """Return what befalls the request."""
        deaf = point.operation in {"join", "sync", "heartbeat"} and point.process == "cut off"
        return Fate(Kind.LOST) if deaf and DEAF_AT <= point.at < HEARING_AT else Fate()


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


async def cut_off_from_the_group(seed: int) -> None:
    """Let an owner reach all but its group, another take over, and judge."""
    world = World(seed, DeafGroup())
    rng = Random(seed)
    sender = Sender(webhooks(rng, 60), rng, HEARING_AT)
    try:
        with told(world):
            world.start("cut off", route)
            await asyncio.sleep(3.0)
            world.start("sender", sender.run, mortal=False)
            world.start("heir", route)
            await asyncio.sleep(HEARING_AT - 3.0)
            taken = starts_since(world, DEAF_AT)
            assert len(taken) <= world.partitions, f"it starts again and again: {taken}"
            await world.until(
                lambda: sender.done and all_handled(world.cluster, TOPICS.inbox, TOPICS.ledger),
                120.0,
                "not all is handled",
            )
            await world.until(
                lambda: bool(starts_since(world, HEARING_AT)), 60.0, "nothing is given back to it"
            )
            assert_exactly_once(world.cluster, sender.sent())
            assert_positions_sound(world.cluster)
    finally:
        await world.close()


def starts_since(world: World, since: float) -> list[float]:
    """Return when sessions were started from then on, of whatever partition."""
    return sorted(
        at for starts in world.cluster.transactions.starts.values() for at in starts if at >= since
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_thawed_zombie_does_not_quarrel(seed: int) -> None:
    """It starts nothing until its group has counted it in again, so its heir goes on."""
    loop.run(thaw(seed))


@pytest.mark.parametrize("seed", range(5))
def test_who_is_cut_off_from_the_group_does_not_quarrel(seed: int) -> None:
    """Once fenced by its heir it starts nothing until the group has counted it in again."""
    loop.run(cut_off_from_the_group(seed))


def test_a_quarrel_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where fenced shards start again at once, they steal their partitions back and forth."""
    start_again_when_fenced(monkeypatch)
    with pytest.raises(AssertionError, match="again and again"):
        loop.run(thaw(0))


@pytest.mark.parametrize("run", [thaw, cut_off_from_the_group])
def test_that_an_old_assignment_is_trusted_is_noticed(
    run: Callable[[int], Coroutine[Any, Any, None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who starts without having heard from the group takes its partition from the heir."""
    trust_an_old_assignment(monkeypatch)
    with pytest.raises(AssertionError, match="again and again"):
        loop.run(run(0))
