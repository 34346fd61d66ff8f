"""Reconciling SmartPay's sandbox over HTTP: all its rows come into the inbox, and it ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from pydantic import SecretStr

from handlers.observation import Origin
from handlers.provider import RECONCILIATION, Watch
from handlers.smartpay import provider
from handlers.smartpay.sandbox import SmartPaySandbox, Strictness
from receiver.watches.requests import StartWatch, StopWatch

from .fakes import FakeShard
from .live import Live, polled
from .virtual import virtual
from .world import EPOCH, World

DAY = timedelta(days=1)


@pytest.fixture
async def shop() -> AsyncIterator[Live]:
    """Poll the account "shop", whose listings have two rows a page, and whose calls are many."""
    sandbox = SmartPaySandbox(Strictness(page_size=2, calls=10_000))
    async with polled(provider, "shop", sandbox) as live:
        account = sandbox.account("shop", live.host.base_url)
        live.configure(account.model_copy(update={"calls": 10_000}))
        yield live


def windows(live: Live) -> Sequence[Watch]:
    """Return the windows of the last day."""
    handler = live.accounts.get("shop")
    assert handler is not None
    return handler.reconciliation(live.now - DAY, live.now)


def left(live: Live) -> set[str]:
    """Return what was asked for and is not read to its end; the regular reading goes on."""
    return {key for key in live.watches() if key.startswith(f"shop/{RECONCILIATION}/once")}


async def asked_for(live: Live) -> None:
    """Ask for a reconciliation, and wait until it is over."""
    for watch in windows(live):
        live.shard.send(StartWatch(watch.account, watch.kind, watch.id))
    handled = live.shard.position.offset
    await live.until(lambda: live.shard.position.offset > handled)
    await live.until(lambda: not left(live))


async def test_every_row_comes_into_the_inbox_once(shop: Live) -> None:
    """Listings of several visits are read to their end, and no watch is left of them."""
    for _ in range(12):
        await shop.host.control("create-invoice")
    await shop.host.control("pay")
    await asked_for(shop)
    assert shop.fact_ids() == shop.host.sandbox.caused("shop")
    assert len(shop.fact_ids()) == 12 + 12 + 1
    rows = [observation for _, observation in shop.inbox.appended]
    assert {row.origin for row in rows} == {Origin.RECONCILIATION}
    # What a window tells of its rows' times goes with them.
    assert None not in {time for row in rows for time in (row.news_since, row.created_before)}
    assert shop.asked("POST /1-2/get_invoices") >= 5 + 2
    assert shop.codes() == set()


async def test_a_window_outlives_a_refused_key_and_is_read_then(shop: Live) -> None:
    """A refusal leaves the windows where they are, with the reason and an alarm, until it ends."""
    await shop.host.control("create-invoice")
    good = shop.host.sandbox.account("shop", shop.host.base_url)
    shop.configure(good.model_copy(update={"api_key": SecretStr("another's")}))
    for watch in windows(shop):
        shop.shard.send(StartWatch(watch.account, watch.kind, watch.id))
    await shop.until(lambda: any(entry.error for entry in shop.watches().values()))
    assert any("Invalid key" in str(entry.error) for entry in shop.watches().values())
    assert shop.codes() == {"credentials-refused"}
    assert len(left(shop)) == 2
    shop.configure(good)
    shop.now += timedelta(minutes=10)
    shop.shard.send(StopWatch("shop", "nothing", "nowhere"))
    await shop.until(lambda: not left(shop))
    assert shop.fact_ids() == shop.host.sandbox.caused("shop")
    assert shop.codes() == set()


@virtual
async def test_a_watch_taken_back_in_is_as_old_as_it_was() -> None:
    """It is visited at once, and its age is told; a time to come counts as now."""
    world, shard = World(), FakeShard()
    began = EPOCH - 20 * DAY
    async with world.polling(shard):
        shard.send(
            StartWatch("a", "thing", "old", began.timestamp()),
            StartWatch("a", "thing", "to come", (EPOCH + DAY).timestamp()),
        )
        await asyncio.sleep(10.0)
    entries = [shard.watch(f"a/thing/{name}") for name in ("old", "to%20come")]
    assert [entry and entry.created_at for entry in entries] == [
        began.timestamp(),
        pytest.approx(EPOCH.timestamp(), abs=0.1),
    ]
    assert max(world.provider.ages) >= 20 * DAY
