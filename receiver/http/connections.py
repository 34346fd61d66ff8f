"""The connections of the public listener: how many there are, and whom they wait for.

A connection is *idle* (nothing of a request has come), *arriving* (a part has come) or *at work*
(its webhook is all there and signed, and an answer is owed). Room for a new connection, or for more
bytes, is made at the cost of whoever has kept us waiting longest; work that was taken on is never
given up. So a sender that speaks at once gets in, however many others hold connections open.

A connection counts until it is lost, that is until its socket is closed. One that is cut off or
refused is lost in the loop's next turn, whatever its peer does: so it needs no room of its own.
"""

import asyncio
from collections.abc import Callable
from time import monotonic as system_monotonic
from typing import TYPE_CHECKING, Final

from receiver.http.admission import Admission, Refusal
from receiver.http.server import RETRY_AFTER

if TYPE_CHECKING:
    from receiver.http.protocol import Connection

REFUSED: Final = (
    "HTTP/1.1 503 Service Unavailable\r\n"
    f"Retry-After: {RETRY_AFTER['Retry-After']}\r\n"
    "Content-Length: 0\r\nConnection: close\r\n\r\n"
).encode()
"""What is told to whoever is refused before aiohttp could answer."""

_LOOK_EVERY: Final = 1.0


class Connections:
    """All connections of one listener, by state, and the limits on them.

    Seconds: ``head_timeout`` from the opening to a first byte, and from any request's first byte to
    its whole head; ``longest_idle`` from an answer to the next request, whether the answer is read
    or not.
    """

    def __init__(
        self,
        admission: Admission,
        *,
        most: int,
        head_timeout: float,
        longest_idle: float,
        monotonic: Callable[[], float] = system_monotonic,
    ) -> None:
        self.admission = admission
        self.most = most
        self._head_timeout = head_timeout
        self._longest_idle = longest_idle
        self._now = monotonic
        self._open: set[Connection] = set()
        # Cut off or refused, but not lost yet.
        self._closing: set[Connection] = set()
        # Each in the order in which they came into the state, with the time of that.
        self._idle: dict[Connection, float] = {}
        self._arriving: dict[Connection, float] = {}

    def __len__(self) -> int:
        """Return how many have an open socket."""
        return len(self._open) + len(self._closing)

    async def run(self) -> None:
        """Close what waits for too long, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            self.look()

    def look(self) -> None:
        """Close the connections that did not send a head in time, or idle for too long."""
        now = self._now()
        for connection, since in list(self._idle.items()):
            waited = now - since
            if waited < min(self._head_timeout, self._longest_idle):
                break
            if connection.fresh and waited >= self._head_timeout:
                self._refuse(connection, Refusal.HEAD)
            elif not (connection.fresh or connection.has_head) and waited >= self._longest_idle:
                self._cut_off(connection)
        for connection, since in list(self._arriving.items()):
            if now - since < self._head_timeout:
                break
            if not connection.has_head:
                self._refuse(connection, Refusal.HEAD)
        self.admission.look()

    def close_unread(self) -> None:
        """Close the connections whose peer lets answers wait."""
        for connection in [*self._idle, *self._arriving]:
            if connection.unread:
                self._cut_off(connection)

    def open(self, connection: "Connection") -> bool:
        """Let a connection in; False if there is no room and none can be made."""
        if len(self._open) >= self.most and not self._make_room():
            self.admission.refuse(Refusal.CONNECTIONS)
            self._closing.add(connection)
            return False
        self._open.add(connection)
        self._idle[connection] = self._now()
        return True

    def lost(self, connection: "Connection") -> None:
        """Forget a connection; what it holds is given back when its work is done."""
        self._closing.discard(connection)
        self._leave(connection)

    def received(self, connection: "Connection", size: int) -> None:
        """Charge bytes that were read; more than there is room for cuts off the oldest."""
        admission = self.admission
        connection.held += size
        if connection.at_work:
            admission.kept += size
            return
        if self._idle.pop(connection, None) is not None:
            self._arriving[connection] = self._now()
        admission.arriving += size
        while admission.arriving > admission.most_arriving and self._arriving:
            self._refuse(next(iter(self._arriving)), Refusal.ARRIVING, REFUSED)

    def has_room(self, size: int) -> bool:
        """Tell whether ``size`` more bytes could be kept, and count it as refused if not."""
        if self.admission.has_room(size):
            return True
        self.admission.refuse(Refusal.KEPT)
        return False

    def keep(self, connection: "Connection") -> bool:
        """Charge a request as kept, no longer as arriving; False if there is no room.

        A connection that was cut off has no room either: what it held is charged no more.
        """
        admission = self.admission
        if connection not in self._open or not self.has_room(connection.held):
            return False
        self._idle.pop(connection, None)
        self._arriving.pop(connection, None)
        admission.arriving -= connection.held
        admission.kept += connection.held
        connection.at_work = True
        return True

    def answered(self, connection: "Connection") -> None:
        """Give back what a request held; its connection is idle, if it is still there."""
        self._give_back(connection)
        if connection in self._open:
            self._idle[connection] = self._now()

    def _leave(self, connection: "Connection") -> None:
        self._open.discard(connection)
        if not connection.at_work:
            self._give_back(connection)

    def _give_back(self, connection: "Connection") -> None:
        if connection.at_work:
            self.admission.kept -= connection.held
        else:
            self.admission.arriving -= connection.held
            self._arriving.pop(connection, None)
            self._idle.pop(connection, None)
        connection.held = 0
        connection.at_work = connection.has_head = False

    def _make_room(self) -> bool:
        idle = next(iter(self._idle.items()), None)
        arriving = next(iter(self._arriving.items()), None)
        if idle is not None and (arriving is None or idle[1] <= arriving[1]):
            self._refuse(idle[0], Refusal.IDLE)
        elif arriving is not None:
            self._refuse(arriving[0], Refusal.IDLE, REFUSED)
        else:
            return False
        return True

    def _refuse(self, connection: "Connection", refusal: Refusal, answer: bytes = b"") -> None:
        self.admission.refuse(refusal)
        self._cut_off(connection, answer)

    def _cut_off(self, connection: "Connection", answer: bytes = b"") -> None:
        self._leave(connection)
        self._closing.add(connection)
        connection.cut_off(answer)
