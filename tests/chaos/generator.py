"""The generator: notifications over real HTTP at a steady rate, each again until its 200."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

import aiohttp

from tests.chaos.ledger import OK, Ledger
from tests.chaos.traffic import Notification

PATIENCE = 5.0
"""Seconds that a replica has to answer before the notification is sent to another one."""

MOST_UNDER_WAY = 3000
"""Notifications that may wait for their 200 at once; beyond it the rate gives way."""

_SHORTEST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


class Generator:
    """Sends to the replicas in turn; what is not answered 200 goes to the next one.

    ``urls`` gives the present URL of each replica, whether it lives or not: a load balancer that
    has not noticed. ``rate`` is in notifications per second.
    """

    def __init__(
        self,
        urls: Callable[[], Sequence[str]],
        notifications: Iterator[Notification],
        ledger: Ledger,
        rate: float,
    ) -> None:
        self._urls = urls
        self._notifications = notifications
        self._ledger = ledger
        self._rate = rate
        self._turn = 0
        self._under_way: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def __aenter__(self) -> Self:
        """Return the generator."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give up what is still under way, and close the connections."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._session.close()

    async def run(self) -> None:
        """Send until cancelled; what is under way then goes on."""
        now = asyncio.get_running_loop().time
        due = now()
        for notification in self._notifications:
            while len(self._under_way) >= MOST_UNDER_WAY:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(self._deliver(notification))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            # What was missed while the loop was busy is not made up for in a burst.
            due = max(due + 1 / self._rate, now() - 1.0)
            await asyncio.sleep(due - now())

    async def finish(self, within: float) -> bool:
        """Wait until all that is under way got its 200; tell whether it did in ``within`` seconds.

        The rest is given up.
        """
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within)
        return not self._under_way

    async def _deliver(self, notification: Notification) -> None:
        number = self._ledger.begin(notification)
        attempt, pause = 1, _SHORTEST_PAUSE
        while True:
            outcome = await self._post(notification)
            self._ledger.answered(number, notification, attempt, outcome)
            if outcome == OK:
                return
            await asyncio.sleep(pause)
            attempt, pause = attempt + 1, min(2 * pause, _LONGEST_PAUSE)

    async def _post(self, notification: Notification) -> int | str:
        urls = self._urls()
        self._turn += 1
        url = f"{urls[self._turn % len(urls)]}/shop"
        webhook = notification.webhook
        try:
            async with self._session.post(
                url, data=webhook.body, headers=webhook.headers()
            ) as answer:
                return answer.status
        except TimeoutError:
            return "no answer"
        except aiohttp.ClientConnectorError:
            return "no connection"
        except (aiohttp.ClientError, OSError):
            return "connection lost"
