"""A budget of calls: a token bucket, full at the start."""

import asyncio
from collections.abc import Awaitable, Callable


class Budget:
    """At most ``calls`` in any ``per`` seconds on average, and never more than that at once.

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
        self._most = float(calls)
        self._rate = calls / per
        self._monotonic = monotonic
        self._sleep = sleep
        self._left = self._most
        self._at = monotonic()

    @property
    def left(self) -> float:
        """Return how many calls may be made now; below zero while others wait."""
        self._refill()
        return self._left

    async def take(self) -> None:
        """Take one call, waiting for its turn."""
        self._refill()
        self._left -= 1
        if self._left < 0:
            await self._sleep(-self._left / self._rate)

    def _refill(self) -> None:
        now = self._monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
