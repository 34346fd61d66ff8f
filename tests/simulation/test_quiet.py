"""A topic that has nothing to tell is disabled without a word, and nothing else goes wrong.

The shop of the simulated week sells and cancels nothing: only a probe can tell.
"""

import asyncio
from random import Random

import pytest

from handlers.smartpay.topics import TOPICS
from receiver.registration import moves
from tests.chaos.story import Fact
from tests.simulation import loop
from tests.simulation.pace import LEISURELY
from tests.simulation.programs import ACCOUNT
from tests.simulation.week.guest import assert_kind
from tests.simulation.week.plan import DAY, HOUR, MINUTE, REPLICAS, WeekPlan
from tests.simulation.week.registration import assert_registered
from tests.simulation.week.replica import Replicas
from tests.simulation.week.run import Week
from tests.simulation.week.verdict import assert_published, origins
from tests.simulation.world import told
from tests.support.shown import facts_of

QUIET = "order/cancelled"
FOUND_WITHIN = 2.5 * DAY
"""It is probed after a day, and after another one if it was disabled only then."""


async def live(plan: WeekPlan) -> Week:
    """Have a shop sell for as long as the plan says, one topic disabled in its first day or two."""
    week = Week(plan)
    replicas = Replicas(week.configuration, week.front, week.smartpay)
    deliveries = asyncio.create_task(week.smartpay.run())
    try:
        with told(week.world):
            for name in REPLICAS:
                week.world.start(name, replicas.run)
            facts = await sell(week, Random(f"quiet {plan.seed}"))
            judge(week, facts)
    finally:
        deliveries.cancel()
        await week.world.close()
    return week


async def sell(week: Week, rng: Random) -> dict[Fact, int | None]:
    """Sell something every two hours; disable the quiet topic meanwhile, and see it enabled.

    Returns all facts that became true.
    """
    facts: dict[Fact, int | None] = {}

    def cause(control: str, **arguments: str) -> dict[str, str]:
        fields = week.smartpay.cause(control, **arguments)
        facts.update(facts_of(fields, account=ACCOUNT))
        return dict(fields)

    clock = asyncio.get_running_loop().time
    ends, disabled_at = week.plan.seconds, rng.uniform(6 * HOUR, 30 * HOUR)
    is_disabled, found_at = False, float("inf")
    while clock() < ends:
        if not is_disabled and clock() > disabled_at:
            week.smartpay.cause("disable-webhook", topic=QUIET)
            is_disabled = True
        order = cause("create-order")["order_id"]
        invoice = cause("create-invoice", order=order)["invoice_id"]
        await asyncio.sleep(30 * MINUTE)
        cause("pay", invoice=invoice)
        await asyncio.sleep(90 * MINUTE)
        if is_disabled and QUIET in enabled(week):
            found_at = min(found_at, clock())
    await asyncio.sleep(6 * HOUR)
    assert found_at - disabled_at < FOUND_WITHIN, f"{QUIET} is not enabled again"
    return facts


def judge(week: Week, facts: dict[Fact, int | None]) -> None:
    """Assert that all is well again, that nothing else was touched, and that few calls were made.

    Raises:
        AssertionError: it is not so.
    """
    handler = week.configuration.accounts().get(ACCOUNT)
    assert handler is not None
    assert_published(week.world.cluster, week.smartpay, facts)
    assert_kind(week.smartpay, week.configuration)
    assert_registered(week.world.cluster, week.smartpay, handler)
    merchant = week.smartpay.sandbox._merchant
    created = merchant.webhooks._number
    assert created == len(TOPICS) + 1, f"{created} webhooks were created"
    assert 2 <= merchant.shop.tests <= 6, f"{merchant.shop.tests} tests were asked for"
    assert origins(week.world.cluster)["webhook"] > 0


def enabled(week: Week) -> set[str]:
    """Return the topics that are enabled."""
    webhooks = week.smartpay.sandbox._merchant.webhooks.by_id.values()
    return {webhook.topic for webhook in webhooks if webhook.is_enabled}


def run(plan: WeekPlan) -> Week:
    """Simulate it.

    Raises:
        AssertionError: something does not hold; its notes tell the seed and what happened.
    """
    with LEISURELY.kept():
        return loop.run(live(plan))


def test_a_quiet_topic_that_is_disabled_is_found() -> None:
    """By a probe: nothing was missed, and nothing else is created anew."""
    run(WeekPlan(2, "2-0", weeks=0.5))


def test_where_nothing_is_probed_it_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody could know of it otherwise."""
    monkeypatch.setattr(moves, "probes", lambda _: ())
    with pytest.raises(AssertionError, match="is not enabled again"):
        run(WeekPlan(2, "2-0", weeks=0.35))
