"""The life of a shop: orders and invoices that come, are paid, fail and are cancelled."""

import asyncio
from random import Random
from typing import Any

from tests.chaos.story import Fact
from tests.simulation.programs import ACCOUNT
from tests.simulation.week.plan import DAY, HOUR, MINUTE, WeekPlan
from tests.simulation.week.smartpay import SmartPay
from tests.support.shown import facts_of

_SHARES = (0.1, 0.1, 0.2, 0.5, 1.5, 3.6)
"""How business goes in each four hours of a day: on average one."""


class Shop:
    """Lives from a seed. ``facts`` are all that became true, each with its amount in cents."""

    def __init__(self, plan: WeekPlan, smartpay: SmartPay) -> None:
        self.facts: dict[Fact, int | None] = {}
        self._plan = plan
        self._smartpay = smartpay
        self._rng = Random(f"shop {plan.seed}")

    async def run(self) -> None:
        """Be open for as long as the plan says; what is not over by then stays as it is."""
        rng, plan = self._rng, self._plan
        async with asyncio.TaskGroup() as lives:
            under_way = [lives.create_task(self._sale(rng.uniform(0, plan.seconds)))]
            clock = asyncio.get_running_loop().time
            end = clock() + plan.seconds
            while clock() < end:
                share = _SHARES[int(clock() % DAY // (4 * HOUR))]
                await asyncio.sleep(rng.expovariate(plan.orders * share / DAY))
                under_way.append(lives.create_task(self._order()))
            for task in under_way:
                task.cancel()

    def show_everything(self) -> None:
        """Have something happen that only one topic announces, of each: else none notices silence.

        What is left alone shows the two creations, which a later webhook would tell of as well.
        """
        self._create_invoice(self._create_order())
        order = self._create_order()
        self._cause("pay", invoice=self._create_invoice(order))
        self._cause("cancel-invoice", invoice=self._create_invoice(order))
        self._cause("cancel-order", order=order)

    async def _sale(self, after: float) -> None:
        """Have more orders come within minutes than fit on a page."""
        await asyncio.sleep(after)
        for _ in range(150):
            self._create_invoice(self._create_order())
            await asyncio.sleep(self._rng.uniform(0.0, 10.0))

    async def _order(self) -> None:
        rng = self._rng
        order = self._create_order(dummy="yes" if rng.random() < 1 / 10 else "no")
        for _ in range(rng.choice((1, 1, 1, 2))):
            await asyncio.sleep(rng.uniform(0.0, 5 * MINUTE))
            await self._invoice(self._create_invoice(order))
        if rng.random() < 1 / 10:
            await asyncio.sleep(rng.expovariate(1 / DAY))
            self._cause("cancel-order", order=order)

    async def _invoice(self, invoice: str) -> None:
        rng = self._rng
        await asyncio.sleep(rng.expovariate(1 / rng.choice((10 * MINUTE, 3 * HOUR, 3 * DAY))))
        if rng.random() < 1 / 5:
            self._cause("fail", invoice=invoice, announce=rng.choice(("yes", "no")))
            await asyncio.sleep(rng.expovariate(1 / DAY))
        what = rng.random()
        if what < 3 / 4:
            self._cause("pay" if rng.random() < 0.9 else "silent-body", invoice=invoice)
        elif what < 9 / 10:
            self._cause("cancel-invoice", invoice=invoice)

    def _create_order(self, **arguments: str) -> str:
        return str(self._cause("create-order", **arguments)["order_id"])

    def _create_invoice(self, order: str) -> str:
        discounted = self._rng.choice(("", "9.00"))
        created = self._cause("create-invoice", order=order, discounted=discounted)
        return str(created["invoice_id"])

    def _cause(self, control: str, **arguments: str) -> dict[str, Any]:
        fields: dict[str, Any] = self._smartpay.cause(control, **arguments)
        self.facts.update(facts_of(fields, account=ACCOUNT))
        return fields
