"""Calls kept back: what is deleted to be created anew is created at once."""

import asyncio

import pytest

from handlers.exchange import Request
from receiver.registration.signs import Missed
from receiver.registration.vitals import TopicVitals, Vitals, vitals_key
from tests.unit.receiver.polling.fakes import FakeShard
from tests.unit.receiver.polling.test_guarding import (
    GUARD,
    HOUR,
    NOW,
    PAID,
    Shop,
    as_made,
    guard,
    registered,
    windows,
)
from tests.unit.receiver.polling.virtual import virtual


@pytest.mark.parametrize(("concurrency", "calls"), [(1, 12), (4, 12), (8, 30)])
def test_others_do_not_take_the_calls_between_deleting_and_creating(
    concurrency: int, calls: int
) -> None:
    """However many visits are under way: without a subscription nothing is even queued."""

    @virtual
    async def check() -> None:
        missed = Missed("fact", PAID, "invoice/1", NOW - 800, NOW - 760)
        vitals = Vitals(topics={PAID: TopicVitals(missed=(missed,))})
        shop = Shop(
            manage_webhooks=True, calls=calls, reconcile_interval="1m", concurrency=concurrency
        )
        known = as_made(shop.site.sandbox, registered())
        entries = {GUARD: guard(known), vitals_key("shop").encode(): vitals.encode()}
        at: dict[str, float] = {}

        def note(request: Request) -> None:
            at[request.path.rsplit("/", 1)[-1]] = asyncio.get_running_loop().time()

        shop.site.trouble = note
        async with shop.polled(FakeShard({**windows(300, paused=0.0), **entries})):
            await asyncio.sleep(12 * HOUR)
        assert 0 <= at["create_webhook"] - at["delete_webhook"] < 60

    check()
