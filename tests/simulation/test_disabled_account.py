"""An account that SmartPay throttles and then disables: what the service does, and leaves alone."""

import asyncio

from receiver.polling.account_alarms import CREDENTIALS_REFUSED, PROVIDER_AWAY
from tests.simulation import loop
from tests.simulation.pace import LEISURELY
from tests.simulation.week.calls import Answer
from tests.simulation.week.plan import DAY, HOUR, REPLICAS, WeekPlan
from tests.simulation.week.run import Week
from tests.simulation.week.smartpay import Ailment
from tests.simulation.week.verdict import origins
from tests.simulation.world import told

PATIENCE = 3


def test_throttled_and_then_disabled() -> None:
    """Calls go on ever less, then stop whoever polls; it is alarmed, and webhooks are published."""
    with LEISURELY.kept():
        loop.run(_live(Week(WeekPlan(1, rate=0.0, patience=PATIENCE))))


async def _live(week: Week) -> None:
    deliveries = asyncio.create_task(week.smartpay.run())
    try:
        with told(week.world):
            week.start()
            await asyncio.sleep(HOUR)
            await _be_throttled(week)
            await _be_disabled(week)
    finally:
        deliveries.cancel()
        await week.world.close()


async def _be_throttled(week: Week) -> None:
    calls = week.smartpay.calls.made
    before = len(calls)
    week.smartpay.ailment = Ailment.THROTTLING
    # The third pause is one of minutes: there is time to look.
    await week.world.until(
        lambda: len(calls) == before + PATIENCE and calls[-1].heard is not None,
        HOUR,
        "calls do not go on",
    )
    await asyncio.sleep(1.0)
    assert [call.heard for call in calls[before:]] == [Answer.FAILURE] * PATIENCE
    assert week.alarms() == {PROVIDER_AWAY}
    await asyncio.sleep(HOUR)
    assert [call.heard for call in calls[before + PATIENCE :]] == [Answer.REFUSAL]
    assert CREDENTIALS_REFUSED in week.alarms()


async def _be_disabled(week: Week) -> None:
    calls = len(week.smartpay.calls.made)
    week.smartpay.ailment = None
    for name in REPLICAS:
        week.world.crash(name)
    published = origins(week.world.cluster)["webhook"]
    await asyncio.sleep(HOUR)
    order = week.smartpay.cause("create-order")["order_id"]
    invoice = week.smartpay.cause("create-invoice", order=order)["invoice_id"]
    week.smartpay.cause("pay", invoice=invoice)
    await asyncio.sleep(DAY / 2)
    assert origins(week.world.cluster)["webhook"] == published + 3
    assert len(week.smartpay.calls.made) == calls, "called again though the account is disabled"
    assert CREDENTIALS_REFUSED in week.alarms()
