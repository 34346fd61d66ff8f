"""The weather: outages on both sides one after the other, and mischief all the while."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeAlias

from handlers.clock import utc_now
from handlers.smartpay.sandbox.errors import NOT_ANSWERED, THROTTLED
from handlers.smartpay.topics import TOPICS
from receiver.sandbox.controls import ControlRefused
from tests.kafka.merchant import Merchant, base_of, until
from tests.kafka.minutes.shop import Shop
from tests.kafka.minutes.smartpay import BROKEN, UnkindSmartPay
from tests.support.payevents import Payevents

Trouble: TypeAlias = Callable[[], Awaitable[None]]

TOO_SLOW = 6.0
"""Seconds: longer than SmartPay waits for an answer, and than it is taken to wait."""

A_NODE = 0
_OF_CREATIONS = {"invoice/created", "order/created"}
"""What a sale is told by: each of its orders has an invoice."""

_PAUSES = (1.0, 3.0)
"""Seconds between two outages, in which things may or may not recover."""

_LULLS = (2.0, 4.0)
"""Seconds between two mischiefs."""


class Weather:
    """Everything that goes wrong, each at least once. ``happened`` counts it, by its name."""

    def __init__(
        self, merchant: Merchant, smartpay: UnkindSmartPay, shop: Shop, rng: Random
    ) -> None:
        self._merchant = merchant
        self._smartpay = smartpay
        self._shop = shop
        self._rng = rng
        self._began = time.monotonic()
        self.happened: Counter[str] = Counter()
        self.story: list[str] = []

    async def run(self) -> None:
        """Have all outages come, in some order, each over before the next; then clear up."""
        outages = self._outages()
        self._rng.shuffle(outages)
        mischief = asyncio.create_task(self._make_mischief(Random(self._rng.random())))
        try:
            for outage in outages:
                await asyncio.sleep(self._rng.uniform(*_PAUSES))
                self._tell(outage)
                await outage()
        finally:
            mischief.cancel()
            await asyncio.wait([mischief])
        if not mischief.cancelled():
            mischief.result()

    def _outages(self) -> list[Trouble]:
        # The eldest dies twice: what it had, the other has then, and loses it too.
        return [
            self._crash,
            self._crash,
            self._both_away,
            self._broker_killed,
            self._broker_frozen,
            self._receivers_slow,
            self._receivers_refusing,
            self._api_broken,
            self._throttled,
        ]

    async def _make_mischief(self, rng: Random) -> None:
        mischief = (
            self._token_expired,
            self._webhook_disabled,
            self._webhook_lost,
            self._notifications_lost,
            self._rows_that_move,
            self._sale,
        )
        while True:
            for each in rng.sample(mischief, len(mischief)):
                await asyncio.sleep(rng.uniform(*_LULLS))
                self._tell(each)
                await each()

    async def _crash(self) -> None:
        await self._kill(self._living()[0])
        await self._merchant.serve()

    async def _both_away(self) -> None:
        for replica in self._living():
            await self._kill(replica)
        await self._for_some_seconds()
        await asyncio.gather(self._merchant.serve(), self._merchant.serve())

    async def _broker_killed(self) -> None:
        cluster = self._merchant.cluster
        await asyncio.to_thread(cluster.kill, A_NODE)
        await self._for_some_seconds()
        await asyncio.to_thread(cluster.restart, A_NODE)

    async def _broker_frozen(self) -> None:
        cluster = self._merchant.cluster
        await asyncio.to_thread(cluster.pause, A_NODE)
        await self._for_some_seconds()
        await self._for_some_seconds()
        await asyncio.to_thread(cluster.resume, A_NODE)

    async def _receivers_slow(self) -> None:
        """Let answers be late until one was not registered for that, and some were counted."""
        began = utc_now().timestamp()
        self._merchant.front.slow = TOO_SLOW
        await self._cause("lose-webhook", topic=self._topic())
        await self._until_refused(str(NOT_ANSWERED.code), 1)

        async def is_counted() -> bool:
            topics = (await self._merchant.care()).vitals.topics.values()
            return any(failure.at > began for known in topics for failure in known.failures)

        await until(is_counted, lambda: "late answers do not count as undeliverable")
        self._merchant.front.slow = 0.0

    async def _receivers_refusing(self) -> None:
        """Refuse webhooks until SmartPay has counted to twenty.

        What it is to call is much at once, or the guard would have made its webhooks anew before;
        where it did, and so is left without any, it is let in until there are some again.
        """
        smartpay, front = self._smartpay, self._merchant.front
        before = smartpay.given_up

        async def is_disabled() -> bool:
            enabled = {each.topic for each in smartpay.webhooks if each.is_enabled}
            if not enabled:
                front.refuses = False
            elif not front.refuses and enabled & _OF_CREATIONS:
                front.refuses = True
                for _ in range(2):
                    await self._shop.sell()
            return bool(smartpay.given_up - before)

        await until(is_disabled, lambda: f"none was disabled: {smartpay.webhooks}")
        front.refuses = False

    async def _api_broken(self) -> None:
        self._smartpay.is_broken = True
        await self._until_refused(BROKEN, 3)
        self._smartpay.is_broken = False

    async def _throttled(self) -> None:
        """Have SmartPay refuse calls until whoever does not rest would be disabled for it."""
        code, errors = str(THROTTLED.code), self._smartpay.errors
        wanted = errors[code] + 3

        async def is_throttled() -> bool:
            self._smartpay.crowd()
            return errors[code] >= wanted

        await until(is_throttled, lambda: f"no calls were throttled: {errors}")

    async def _token_expired(self) -> None:
        await self._cause("expire-token")

    async def _webhook_disabled(self) -> None:
        await self._cause("disable-webhook", topic=self._topic())

    async def _webhook_lost(self) -> None:
        await self._cause("lose-webhook", topic=self._topic())

    async def _notifications_lost(self) -> None:
        await self._cause("drop", count=self._few())

    async def _rows_that_move(self) -> None:
        await self._cause("arrive-while-paging", pages=self._few())

    async def _sale(self) -> None:
        await self._shop.sell()

    async def _kill(self, replica: Payevents) -> None:
        await asyncio.to_thread(replica.kill)
        self._merchant.front.behind.remove(base_of(replica))

    async def _until_refused(self, code: str, more: int) -> None:
        errors = self._smartpay.errors
        wanted = errors[code] + more

        async def is_refused() -> bool:
            return errors[code] >= wanted

        await until(is_refused, lambda: f"no {more} more calls were refused with {code}: {errors}")

    async def _for_some_seconds(self) -> None:
        await asyncio.sleep(self._rng.uniform(2.0, 5.0))

    async def _cause(self, control: str, **arguments: str) -> None:
        try:
            await self._merchant.host.control(control, **arguments)
        except ControlRefused as error:
            self.story.append(f"         {error}")

    def _living(self) -> list[Payevents]:
        return [replica for replica in self._merchant.replicas if replica.running]

    def _topic(self) -> str:
        return self._rng.choice(TOPICS)

    def _few(self) -> str:
        return str(self._rng.randint(1, 4))

    def _tell(self, trouble: Trouble) -> None:
        name = trouble.__name__.removeprefix("_").replace("_", " ")
        self.happened[name] += 1
        self.story.append(f"{time.monotonic() - self._began:6.1f} s {name}")
