"""Sending visits off: what waits is always stirred again."""

import pytest

from receiver.polling.budget import Budget
from receiver.polling.dispatch import MOST_AT_ONCE, Dispatch
from receiver.polling.keeper import Keeper
from receiver.polling.watchlist import Watchlist

from .fakes import FakeShard
from .virtual import virtual
from .world import World, settings


def serving(world: World) -> tuple[Watchlist, Dispatch]:
    """Return an empty watchlist, and what sends the visits of the world's account off."""
    watchlist = Watchlist(FakeShard(), world.alarms)
    keeper = Keeper(watchlist, world.visits.guard, world.alarms)
    dispatch = Dispatch(watchlist, world.visits, keeper, lambda: None)
    [handler] = world.accounts
    dispatch.serve(handler)
    return watchlist, dispatch


@virtual
async def test_room_that_comes_while_it_is_looked_for_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is none yet when a visit would start, and there is when the pause is worked out."""
    world = World()
    now = world.now().timestamp()
    watchlist, dispatch = serving(world)
    watchlist.start("a/thing/1", now)
    waits = iter([0.01])
    monkeypatch.setattr(Budget, "wait_for", lambda *_: next(waits, 0.0))
    dispatch.start_due(now)
    assert dispatch.next_at() == now
    dispatch.start_due(now)
    assert dispatch.next_at() is None
    await dispatch.end()


@virtual
async def test_an_outage_that_is_over_does_not_stop_the_loop() -> None:
    """When all watches are due at once, they are taken in turns, and none is left out."""
    world = World()
    now = world.now().timestamp()
    watchlist, dispatch = serving(world)
    for number in range(MOST_AT_ONCE + 1):
        watchlist.start(f"a/thing/{number}", now)
    dispatch.start_due(now)
    taken = [
        number
        for number in range(MOST_AT_ONCE + 1)
        if watchlist.schedule.is_taken(f"a/thing/{number}".encode())
    ]
    assert len(taken) == MOST_AT_ONCE
    assert dispatch.next_at() == now
    dispatch.start_due(now)
    assert dispatch.next_at() is None
    await dispatch.end()


@virtual
async def test_a_busy_account_is_looked_at_too() -> None:
    """What falls due while its one visit waits for the budget shows that it is too small."""
    world = World(settings(concurrency=1, calls=1, calls_per="1h"))
    now = world.now().timestamp()
    watchlist, dispatch = serving(world)
    for number in range(2):
        watchlist.start(f"a/thing/{number}", now)
    dispatch.start_due(now)
    assert world.codes() == set()
    watchlist.start("a/thing/2", now + 3_601.0)
    dispatch.start_due(now + 3_601.0)
    assert world.codes() == {("a", "calls-exhausted")}
    await dispatch.end()
