"""Which signs a shard tells, and when: webhooks come by the thousand and all say the same.

Of what repeats itself the first in each stretch of time is told at once, and of signs of life the
last one too, once the stretch is over: somebody may have to know whether a webhook still came after
a fact was missed. The stretches follow from when webhooks were received, so that a spool which is
drained beside new ones is throttled like them.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
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
    """The signs that one session of a shard has told, and those it holds back."""

    def __init__(self) -> None:
        self._told: OrderedDict[_Name, None] = OrderedDict()
        self._held: dict[_Name, Announced] = {}

    def admitted(self, signs: Sequence[Sign]) -> Iterator[Sign]:
        """Yield the signs to be told now, and remember them."""
        for sign in signs:
            match sign:
                case Arrived():
                    stretch = sign.received_at // ARRIVALS_EVERY
                    places = range(MOST_ARRIVALS)
                    if any(self._is_first((sign.account, stretch, place)) for place in places):
                        yield sign
                case Announced(facts=()):
                    at = sign.received_at
                    name: _Name = (sign.account, sign.topic, sign.signed_with, at // LIFE_EVERY)
                    if self._is_first(name):
                        yield sign
                        continue
                    held = self._held.get(name)
                    if held is None or held.received_at < at:
                        self._held[name] = sign
                case _:
                    yield sign

    def is_due(self, now: datetime) -> bool:
        """Tell whether a sign was held back long enough."""
        return any(_is_over(sign, now) for sign in self._held.values())

    def due(self, now: datetime) -> Sequence[Sign]:
        """Return the signs that were held back long enough, and hold them no more."""
        over = {name: sign for name, sign in self._held.items() if _is_over(sign, now)}
        for name in over:
            del self._held[name]
        return tuple(over.values())

    def _is_first(self, name: _Name) -> bool:
        if name in self._told:
            return False
        self._told[name] = None
        if len(self._told) > MOST_REMEMBERED:
            self._told.popitem(last=False)
        return True


def _stretch(at: float) -> int:
    return int(at // LIFE_EVERY)


def _is_over(sign: Announced, now: datetime) -> bool:
    return _stretch(sign.received_at) != _stretch(now.timestamp())
