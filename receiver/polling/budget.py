"""A budget of calls: never more than so many in any period."""

import asyncio
import contextlib
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from math import floor

_RESOLUTION = 12
"""Into how many parts a period is divided where what was spent is told to others."""


_LOOK_AGAIN = 60.0
"""Seconds after which a call that waits sees that another budget is allowed."""


class Budget:
    """At most ``calls`` calls in any ``per`` seconds, whoever makes them, first come first served.

    ``monotonic`` and ``sleep`` are injected, so that tests own the time.
    """

    __slots__ = ("_keep", "_made", "_monotonic", "_per", "_sleep", "_times", "calls", "taken")

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
        self.taken = 0
        """How many calls were taken since the beginning."""
        self._made: deque[float] = deque()
        """When the calls of the last period were made, sorted."""
        self._times: deque[float] = deque()
        """Those, and when the calls that wait are to be made; sorted too."""

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
        at = self._turn(self._times, now)
        nobody_waits = len(self._times) == len(self._made)
        if at <= now and nobody_waits and self._keep is None:
            # Nearly every call: it is made now, and the latest of all.
            self.taken += 1
            self._times.append(now)
            self._made.append(now)
            return
        made_at = await self._wait(now, at)
        # A call is made no sooner than it is kept, so that others may have been made later than
        # they were to be: then this one's turn is later too.
        while (at := self._turn(self._made, made_at)) > made_at:
            made_at = await self._wait(made_at, at)
        self.taken += 1
        insort(self._times, made_at)
        insort(self._made, made_at)

    def used(self) -> int:
        """Return how many calls were made in the last period."""
        return bisect_right(self._times, self._now())

    def wait_for(self, calls: int) -> float:
        """Return in how many seconds so many calls can be made, or the whole budget if less."""
        others = self.calls - min(calls, self.calls)
        if len(self._times) <= others:
            # Nearly always, and whoever is past its period would only make them fewer.
            return 0.0
        now = self._now()
        if len(self._times) <= others:
            return 0.0
        return max(0.0, self._times[-others - 1] + self._per - now)

    def spent(self, now: float) -> tuple[tuple[float, int], ...]:
        """Return what was spent in the last period as pairs, for :meth:`resume`.

        Each is a time, in seconds since 1970 by a clock that says ``now``, and how many calls were
        made up to then since the pair before.
        """
        passed = self._now()
        times, part = self._times, self._per / _RESOLUTION
        spent = []
        begin, end = 0, bisect_right(times, passed)
        while begin < end:
            # From part to part, since a large budget has very many calls.
            ends_at = (floor(times[begin] / part) + 1) * part
            after = max(begin + 1, bisect_left(times, ends_at, begin, end))
            spent.append((now - (passed - times[after - 1]), after - begin))
            begin = after
        return tuple(spent)

    def resume(self, spent: Iterable[tuple[float, int]], now: float) -> None:
        """Count what another owner has spent, as if all calls of a pair were made at its time.

        What lies in the future was made by a clock that is ahead of ours, or ours was set back: it
        counts from now on.
        """
        passed = self._monotonic()
        for at, calls in spent:
            made = [passed - max(0.0, now - at)] * calls
            self._times.extend(made)
            self._made.extend(made)
        self._times, self._made = deque(sorted(self._times)), deque(sorted(self._made))

    async def _wait(self, now: float, at: float) -> float:
        """Wait until ``at`` and until the call is kept; return when that was.

        It is sooner where another budget is allowed meanwhile: the turn is another one then.
        """
        insort(self._times, at)
        allowed = self.calls, self._per
        try:
            while now < at and allowed == (self.calls, self._per):
                pause = min(at - now, _LOOK_AGAIN)
                await self._sleep(pause)
                now += pause
            if self._keep is not None:
                await self._keep()
        finally:
            # Kept for longer than a period, it counts no more.
            with contextlib.suppress(ValueError):
                self._times.remove(at)
        return max(now, self._now())

    def _turn(self, times: Sequence[float], now: float) -> float:
        """Return when a call can be made beside those of these ``times``."""
        return now if len(times) < self.calls else times[-self.calls] + self._per

    def _now(self) -> float:
        now = self._monotonic()
        for times in (self._times, self._made):
            while times and times[0] <= now - self._per:
                times.popleft()
        return now
