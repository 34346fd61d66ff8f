"""Admission: how many bytes of unanswered requests are held, and what is refused for want of room.

Bytes are charged as they are read from a socket, heads and bodies alike, until their request is
answered and nothing holds them any more. Nothing is reserved for what a sender only announces, or
a few hundred connections that announce large bodies and send none would shut everybody else out.

A quarter of the budget is for requests that are still arriving. Anybody can fill that; so beyond it
the request that began to arrive first is cut off. A webhook is a few kilobytes sent at once: to get
it cut off, an attacker must send the whole quarter anew in the moment in which it arrives, and not
just hold many requests open. The rest is for webhooks whose signature was right: only the providers
themselves can fill it, when neither Kafka nor the disk keeps up with them. Then whatever else comes
is refused by its head, its body unread.
"""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from time import monotonic as system_monotonic

from receiver.observability.alarms import Alarms

CALM_AFTER = 10.0
"""Seconds without a refusal after which the overload is over."""

_ARRIVING = 4
"""One part in so many of the budget is for what is still arriving."""

_REMEDY = "bring Kafka or the disk up to speed, add receivers, or raise the limit"


class Refusal(StrEnum):
    """Why a request or a connection was turned away or cut off for want of room or time."""

    KEPT = "kept"
    ARRIVING = "arriving"
    CONNECTIONS = "connections"
    IDLE = "idle"
    HEAD = "head"


_WHY = {
    Refusal.KEPT: "webhooks that wait for Kafka or the disk fill http.max_pending",
    Refusal.ARRIVING: "requests that are still arriving fill their quarter of http.max_pending",
    Refusal.CONNECTIONS: "http.max_connections are open and at work",
    Refusal.IDLE: "http.max_connections are open; the longest idle are closed for new ones",
}
"""What is amiss, for each refusal that is one: a head that does not come is its sender's fault."""


class Admission:
    """Counts the bytes held, in two shares, and the refusals; one for each public listener.

    Both counts are changed by the connections alone.
    """

    def __init__(
        self, most: int, alarms: Alarms, monotonic: Callable[[], float] = system_monotonic
    ) -> None:
        self.most_arriving = most // _ARRIVING
        self.most_kept = most - self.most_arriving
        self.arriving = 0
        self.kept = 0
        self.refused: Counter[Refusal] = Counter()
        self._alarms = alarms
        self._monotonic = monotonic
        self._problem = ""
        self._last_refusal = 0.0

    @property
    def problem(self) -> str:
        """Return why requests are refused just now; empty if none is."""
        return self._problem

    def has_room(self, size: int) -> bool:
        """Tell whether a webhook of ``size`` bytes could be kept."""
        return self.kept + size <= self.most_kept

    def refuse(self, refusal: Refusal) -> None:
        """Count a refusal, and sound the alarm if there is something amiss here."""
        self.refused[refusal] += 1
        why = _WHY.get(refusal)
        if why is not None:
            self._problem = why
            self._last_refusal = self._monotonic()
            self._alarms.sound("", "overloaded", why=why, remedy=_REMEDY)

    def look(self) -> None:
        """End the overload once nothing was refused for :data:`CALM_AFTER`."""
        if self._problem and self._monotonic() - self._last_refusal >= CALM_AFTER:
            self._problem = ""
            self._alarms.over("", "overloaded")
