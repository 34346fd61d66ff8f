"""A budget of calls: never more than so many in any period."""

import asyncio
from bisect import insort
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from math import floor

_RESOLUTION = 12
"""Into how many parts a period is divided where what was spent is told to others."""


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
        self.calls = calls
        self._per = per
        self._monotonic = monotonic
        self._sleep = sleep
        self._keep: Callable[[], Awaitable[None]] | None = None
        self._times: deque[float] = deque()
        """When the calls of the last period were made, and when those that wait will be: sorted."""

    def allow(self, calls: int, per: float) -> None:
        """Allow so many calls in so many seconds from now on; those already made count on."""
        self.calls = calls
        self._per = per

    def keep_first(self, keep: Callable[[], Awaitable[None]] | None) -> None:
        """Have ``keep`` return before each call is made: it makes what is spent durable."""
        self._keep = keep

    async def take(self) -> None:
        """Take one call, waiting for its turn; cancelled, it was never taken.

        Raises:
            Exception: whatever ``keep`` raises; the call must not be made then.
        """
        now = self._now()
        at = now if len(self._times) < self.calls else self._times[-self.calls] + self._per
        insort(self._times, at)
        try:
            if at > now:
                await self._sleep(at - now)
            if self._keep is not None:
                await self._keep()
        except BaseException:
            self._times.remove(at)
            raise
        # It is made no sooner than it is kept, and until now nobody counted its period from here.
        self._times.remove(at)
        insort(self._times, max(at, self._monotonic()))

    def used(self) -> int:
        """Return how many calls were made in the last period."""
        now = self._now()
        return sum(at <= now for at in self._times)

    def wait_for(self, calls: int) -> float:
        """Return in how many seconds so many calls can be made, or the whole budget if less."""
        now = self._now()
        others = self.calls - min(calls, self.calls)
        if len(self._times) <= others:
            return 0.0
        return max(0.0, self._times[-others - 1] + self._per - now)

    def spent(self, now: float) -> tuple[tuple[float, int], ...]:
        """Return what was spent in the last period as pairs, for :meth:`resume`.

        Each is a time, in seconds since 1970 by a clock that says ``now``, and how many calls were
        made up to then since the pair before.
        """
        passed = self._now()
        parts: dict[int, tuple[float, int]] = {}
        for at in self._times:
            if at <= passed:
                part = floor(at * _RESOLUTION / self._per)
                parts[part] = (now - (passed - at), parts.get(part, (at, 0))[1] + 1)
        return tuple(parts.values())

    def resume(self, spent: Iterable[tuple[float, int]], now: float) -> None:
        """Count what another owner has spent, as if all calls of a pair were made at its time.

        What lies in the future was made by a clock that is ahead of ours, or ours was set back: it
        counts from now on.
        """
        passed = self._monotonic()
        for at, calls in spent:
            self._times.extend([passed - max(0.0, now - at)] * calls)
        self._times = deque(sorted(self._times))

    def _now(self) -> float:
        now = self._monotonic()
        while self._times and self._times[0] <= now - self._per:
            self._times.popleft()
        return now
