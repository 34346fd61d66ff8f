"""The life of a shop in minutes: orders and invoices that come, are paid, fail, are cancelled."""

import asyncio
from random import Random
from typing import Any

from tests.kafka.merchant import Merchant

EVERY = 2.5
"""Seconds between two orders, on average."""

SOON = 4.0
"""Seconds after which something happens to an invoice, on average."""

SALE = 12
"""Invoices that come at once: more than a page has room for."""


class Shop:
    """Lives from a seed, until ``run`` is cancelled; what is not over by then stays as it is."""

    def __init__(self, merchant: Merchant, rng: Random) -> None:
        self._merchant = merchant
        self._rng = rng

    async def run(self) -> None:
        """Be open."""
        async with asyncio.TaskGroup() as lives:
            while True:
                lives.create_task(self._order())
                await asyncio.sleep(self._rng.expovariate(1 / EVERY))

    async def sell(self) -> None:
        """Have more orders come at once than fit on a page."""
        for _ in range(SALE):
            await self._create_invoice(await self._create_order())

    async def show_everything(self) -> None:
        """Have something happen that only one topic announces, of each: else none notices silence.

        What is left alone shows the two creations, which a later webhook would tell of as well.
        """
        await self._create_invoice(await self._create_order())
        order = await self._create_order()
        await self._cause("pay", invoice=await self._create_invoice(order))
        await self._cause("cancel-invoice", invoice=await self._create_invoice(order))
        await self._cause("cancel-order", order=order)

    async def _order(self) -> None:
        rng = self._rng
        order = await self._create_order(dummy="yes" if rng.random() < 1 / 10 else "no")
        await asyncio.sleep(rng.uniform(0.0, 2.0))
        await self._invoice(await self._create_invoice(order))
        if rng.random() < 1 / 4:
            await asyncio.sleep(rng.expovariate(1 / SOON))
            await self._cause("cancel-order", order=order)

    async def _invoice(self, invoice: str) -> None:
        rng = self._rng
        await asyncio.sleep(rng.expovariate(1 / SOON))
        if rng.random() < 1 / 4:
            await self._cause("fail", invoice=invoice, announce=rng.choice(("yes", "no")))
            await asyncio.sleep(rng.expovariate(1 / SOON))
        what = rng.random()
        if what < 2 / 3:
            paid = "pay" if rng.random() < 0.8 else "silent-body"
            await self._cause(paid, invoice=invoice)
        elif what < 9 / 10:
            await self._cause("cancel-invoice", invoice=invoice)

    async def _create_order(self, **arguments: str) -> str:
        return str((await self._cause("create-order", **arguments))["order_id"])

    async def _create_invoice(self, order: str) -> str:
        discounted = self._rng.choice(("", "9.00"))
        created = await self._cause("create-invoice", order=order, discounted=discounted)
        return str(created["invoice_id"])

    async def _cause(self, control: str, **arguments: str) -> Any:
        return await self._merchant.host.control(control, **arguments)
