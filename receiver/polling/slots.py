"""How many calls may be under way at once, so that a host that hangs cannot keep others waiting."""

import asyncio
from collections import deque


class Slots:
    """At most ``most`` at once, first come first served.

    It is :class:`asyncio.Semaphore`, but for what that costs where there is room.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Take a slot, waiting for one; cancelled, it was never taken."""
        if self._free > 0:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Give a slot back: to who has waited longest, if anyone does."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
