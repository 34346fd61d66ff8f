"""Which signs a shard tells, and when: webhooks come by the thousand and all say the same.

Of what repeats itself the first in each stretch of time is told at once, and of signs of life the
last one too, once the stretch is over: somebody may have to know whether a webhook still came after
a fact was missed. The stretches follow from when webhooks were received, so that a spool which is
drained beside new ones is throttled like them.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from receiver.registration.signs import Announced, Arrived, Sign

LIFE_EVERY = 60.0
"""Seconds in which one account, topic and key have two signs of life at most."""

ARRIVALS_EVERY = 1.0
"""Seconds in which :data:`MOST_ARRIVALS` are told that we may have caused."""

MOST_ARRIVALS = 10
"""Each proves one call of ours only, and a quick provider answers several within a second."""

MOST_REMEMBERED = 10_000
"""Signs that a shard remembers to have told."""

_Name: TypeAlias = tuple[object, ...]


class Throttle:
    """The signs that one session of a shard has told, and those it holds back.

    Signs of life are told together, once a transaction; all others one by one.
    """

    def __init__(self) -> None:
        self._told: OrderedDict[_Name, None] = OrderedDict()
        self._first: list[Announced] = []
        self._held: defaultdict[float, dict[_Name, Announced]] = defaultdict(dict)
        """By stretch, since all signs of one are due at the same time."""

    def admits(self, sign: Sign) -> bool:
        """Tell whether a sign is to be told by itself; one of life is kept until it is due."""
        if isinstance(sign, Announced) and not sign.facts:
            self._take(sign)
            return False
        if isinstance(sign, Arrived):
            stretch = sign.received_at // ARRIVALS_EVERY
            places = range(MOST_ARRIVALS)
            return any(self._is_first((sign.account, stretch, place)) for place in places)
        return True

    def is_due(self, now: datetime) -> bool:
        """Tell whether a sign is due to be told."""
        return bool(self._first or self._over(now))

    def due(self, now: datetime) -> Sequence[Announced]:
        """Return the signs of life to be told: the first ones, and those held back long enough.

        They are not returned again.
        """
        due, self._first = self._first, []
        for stretch in self._over(now):
            due += self._held.pop(stretch).values()
        return due

    def _take(self, sign: Announced) -> None:
        stretch = sign.received_at // LIFE_EVERY
        name = (sign.account, sign.topic, sign.signed_with, stretch)
        if self._is_first(name):
            self._first.append(sign)
            return
        of_stretch = self._held[stretch]
        held = of_stretch.get(name)
        if held is None or held.received_at < sign.received_at:
            of_stretch[name] = sign

    def _over(self, now: datetime) -> Sequence[float]:
        """Return the stretches that are not under way, of which signs are held."""
        under_way = now.timestamp() // LIFE_EVERY
        return [stretch for stretch in self._held if stretch != under_way]

    def _is_first(self, name: _Name) -> bool:
        if name in self._told:
            return False
        self._told[name] = None
        if len(self._told) > MOST_REMEMBERED:
            self._told.popitem(last=False)
        return True
