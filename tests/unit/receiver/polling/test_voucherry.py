"""Polling Voucherry's sandbox over HTTP: from waiting to confirmed, and cherries never moved."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from handlers.jsontext import Json
from handlers.provider import Ending
from handlers.voucherry import provider
from handlers.voucherry.sandbox import VoucherrySandbox
from receiver.watches.requests import StartWatch

from .live import Live, polled

MINUTES = timedelta(seconds=70)
"""Longer than the default poll_interval with its jitter."""


@pytest.fixture
async def cherries() -> AsyncIterator[Live]:
    """Poll the account "cherries", and see to it that no test ever confirms anything."""
    async with polled(provider, "cherries") as live:
        yield live
        sandbox = live.host.sandbox
        assert isinstance(sandbox, VoucherrySandbox)
        assert sandbox.confirmations == 0
        assert [asked for asked in live.host.requests if "confirm" in asked] == []
        assert {asked.split()[0] for asked in live.host.requests} <= {"GET"}


async def watched(live: Live, shown: Json) -> str:
    """Register what a control created; return the watch's key once it was visited."""
    handler = live.accounts.get(live.name)
    assert handler is not None
    assert isinstance(shown, dict)
    watch = handler.watch_resource(shown, None)
    live.shard.send(StartWatch(watch.account, watch.kind, watch.id))
    await live.until(lambda: watch.key in live.watches())
    await live.pass_time(timedelta())
    return watch.key


@pytest.mark.parametrize(
    ("control", "kind"), [("create-transfer", "transfer"), ("create-request", "transfer_request")]
)
async def test_a_resource_is_watched_until_it_is_confirmed(
    cherries: Live, control: str, kind: str
) -> None:
    """It is handed on when it is first seen and when its payer confirms it; then nobody asks."""
    key = await watched(cherries, await cherries.host.control(control))
    assert cherries.facts() == [(kind, "requested")]
    await cherries.pass_time(MINUTES)
    assert cherries.facts() == [(kind, "requested")]
    await cherries.host.control("confirm")
    await cherries.pass_time(MINUTES)
    assert cherries.facts() == [(kind, "requested"), (kind, "requested"), (kind, "confirmed")]
    assert cherries.fact_ids() == cherries.host.sandbox.caused("cherries")
    assert key not in cherries.watches()
    asked = cherries.asked("GET /")
    cherries.now += timedelta(days=1)
    await watched(cherries, await cherries.host.control("create-transfer"))
    assert cherries.asked("GET /") == asked + 1


async def test_a_resource_that_is_gone_ends_its_watch(cherries: Live) -> None:
    """A 404 ends the watch, which stays to be seen."""
    key = await watched(cherries, await cherries.host.control("create-request"))
    await cherries.host.control("delete")
    await cherries.pass_time(MINUTES)
    assert cherries.watches()[key].state == Ending.GONE
    asked = cherries.asked("GET /")
    await watched(cherries, await cherries.host.control("create-request"))
    assert cherries.asked("GET /") == asked + 1
    assert cherries.codes() == set()


async def test_a_resource_that_is_never_confirmed_is_stalled(cherries: Live) -> None:
    """After watch_max_age the watch is given up, with an alarm."""
    key = await watched(cherries, await cherries.host.control("create-request"))
    for _ in range(3):
        await cherries.pass_time(timedelta(days=9))
    assert cherries.watches()[key].state == "active"
    await cherries.pass_time(timedelta(days=9))
    assert cherries.watches()[key].state == Ending.STALLED
    assert cherries.codes() == {"watch-stalled"}
    assert cherries.facts() == [("transfer_request", "requested")]


async def test_an_unknown_status_is_handed_on_and_watched_further(cherries: Live) -> None:
    """A status without a word of ours is an update, and not the end."""
    key = await watched(cherries, await cherries.host.control("create-transfer"))
    await cherries.host.control("set-status", status="on hold")
    await cherries.pass_time(MINUTES)
    assert ("transfer", "updated") in cherries.facts()
    assert cherries.watches()[key].status == "on hold"
    assert cherries.fact_ids() == cherries.host.sandbox.caused("cherries")


async def test_many_watches_are_read_each_by_itself(cherries: Live) -> None:
    """Of fifty, each confirmed one ends, and no other."""
    keys = [
        await watched(cherries, await cherries.host.control("create-request")) for _ in range(50)
    ]
    for number in range(1, 51, 2):
        await cherries.host.control("confirm", kind="cherries_requests", id=str(number))
    await cherries.pass_time(MINUTES)
    assert sorted(cherries.watches()) == sorted(keys[1::2])
    assert cherries.facts().count(("transfer_request", "confirmed")) == 25
