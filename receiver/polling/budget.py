"""A budget of calls: never more than so many in any period."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable


class Budget:
    """At most ``calls`` calls in any ``per`` seconds, whoever makes them, first come first served.

    ``monotonic`` and ``sleep`` are injected, so that tests own the time.
    """

    def __init__(
        self,
        calls: int,
        per: float,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._calls = calls
        self._per = per
        self._monotonic = monotonic
        self._sleep = sleep
        self._times: deque[float] = deque()
        """When the calls of the last period were made, and when those that wait will be."""

    def allow(self, calls: int, per: float) -> None:
        """Allow so many calls in so many seconds from now on; those already made count on."""
        self._calls = calls
        self._per = per

    async def take(self) -> None:
        """Take one call, waiting for its turn."""
        now = self._monotonic()
        while self._times and self._times[0] <= now - self._per:
            self._times.popleft()
        at = now if len(self._times) < self._calls else self._times[-self._calls] + self._per
        self._times.append(at)
        if at > now:
            await self._sleep(at - now)
