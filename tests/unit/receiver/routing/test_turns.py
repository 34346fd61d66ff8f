"""The routers of a process share it: backlogs, and turns with small transactions."""

import asyncio
from collections.abc import Sequence

import pytest

from handlers.fact import Interpretation
from handlers.observation import Observation
from receiver.shards.open_shard import BACKLOG, InputRecord
from receiver.shards.pacing import APART, Pacing
from tests.support.turns import others
from tests.unit.receiver.routing.stage import (
    Partition,
    Scripted,
    World,
    inbox_record,
)


async def test_a_backlog_lets_others_have_their_turn(world: World) -> None:
    """A webhook that comes while thousands of observations are routed is not kept waiting."""
    async with others() as turns:
        await world.route(*(f'{{"id": "{number}"}}' for number in range(1000)))
    assert next(turns) >= 9
    assert len(world.shard.events()) == 1000


async def test_a_shard_waits_for_its_turn_after_a_small_transaction(world: World) -> None:
    """It asks for more when others that share the process had theirs; a lone record never waits."""
    fetched: list[float] = []
    fetch = world.shard.fetch

    async def noted(*, wait: float, limit: int) -> Sequence[InputRecord]:
        fetched.append(asyncio.get_running_loop().time())
        return await fetch(wait=wait, limit=limit)

    world.shard.fetch = noted  # type: ignore[method-assign]
    await world.route('{"id": "a"}')
    before, after = fetched
    assert after - before >= APART


async def test_a_backlog_waits_for_no_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is worth transactions one after another."""

    def rest(pacing: Pacing, now: float) -> float:
        pytest.fail(f"a shard was to rest at {now} by {pacing}")

    monkeypatch.setattr(Pacing, "rest", rest)
    await world.route(*['{"id": "a"}'] * BACKLOG)
    assert len(world.shard.events()) == 1


async def test_backlogs_go_one_after_another_and_a_lone_record_passes_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-made batches of many shards would fill the memory; who has little need not wait."""
    seen: list[str] = []
    interpret = Scripted.interpret

    def noted(handler: Scripted, observation: Observation) -> Interpretation:
        result = interpret(handler, observation)
        assert result.reading is not None
        seen.append(result.reading.resource.id)
        return result

    monkeypatch.setattr(Scripted, "interpret", noted)
    shards = [Partition(), Partition(), Partition()]
    for shard, name, count in zip(shards, "abc", (500, 500, 1), strict=True):
        for _ in range(count):
            shard.put(inbox_record(f'{{"id": "{name}"}}'))
    await asyncio.gather(*map(world.router.work, shards), return_exceptions=True)
    assert [name for name in seen if name != "c"] == ["a"] * 500 + ["b"] * 500
    assert seen.index("c") < 500
