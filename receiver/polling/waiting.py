"""The due watches of an account that wait for their turn."""

import heapq
from collections import OrderedDict, deque
from collections.abc import Collection, Iterator
from itertools import chain, count
from typing import TypeAlias

from handlers.provider import RECONCILIATION
from receiver.polling.watchlist import kind_of
from receiver.registration.registered import REGISTRATION
from receiver.watches.requests import LOOK_UP

MOST_CLAIMS = 10
"""How many look-ups go together: a failure costs what it was told before, and all others wait."""

_TURNS = {REGISTRATION: 0, LOOK_UP: 1, RECONCILIATION: 3}
_OTHERS = 2
"""The turn of what is polled, and of the roots of a reconciliation, which show the latest."""

_Turn: TypeAlias = deque[tuple[str, float]]


class Waiting:
    """Watches in the order of their turns: a large reconciliation holds up nothing else.

    The look at the registration goes first, since it is one at a time; then what webhooks claimed,
    then what is polled and the ``roots``, the watches that an account has from the beginning, then
    the rest of reconciliations, those first that are read most often. Among equals goes first what
    came first. After look-ups goes one of those that come next, however many claims wait: claims
    may come faster than they can be looked up.
    """

    __slots__ = (
        "_has_looked_up",
        "_order",
        "_reconciliations",
        "_roots",
        "_since",
        "_turns",
    )

    def __init__(self, roots: Collection[str] = ()) -> None:
        self._roots = frozenset(roots)
        # Each watch with the time since which it waits.
        self._turns: tuple[_Turn, _Turn, _Turn] = (deque(), deque(), deque())
        # Only these have an order of their own, so that only they need a heap.
        self._reconciliations: list[tuple[float, int, str]] = []
        self._order = count()
        # Of these, too. Its first is found at once: a dict would look past all that have left it.
        self._since: OrderedDict[str, float] = OrderedDict()
        self._has_looked_up = False

    def __bool__(self) -> bool:
        """Tell whether any watch waits."""
        return any(self._turns) or bool(self._reconciliations)

    @property
    def begins_with_registration(self) -> bool:
        """Tell whether the look at the registration goes next."""
        return bool(self._turns[0])

    def __iter__(self) -> Iterator[str]:
        """Return those that wait, turn by turn."""
        yield from (key for key, _ in chain(*self._turns))
        yield from (key for _, _, key in sorted(self._reconciliations))

    @property
    def since(self) -> float | None:
        """Return since when the one waits that waits longest, None if none does."""
        since = next(iter(self._since.values()), None)
        for turn in self._turns:
            if turn and (since is None or turn[0][1] < since):
                since = turn[0][1]
        return since

    def add(self, key: str, now: float, pace: float = 0.0) -> None:
        """Have a watch wait from ``now`` on, in seconds since 1970.

        ``pace`` orders the reconciliations; what was never read has none, and shows most that is
        new.
        """
        turn = _OTHERS if key in self._roots else _TURNS.get(kind_of(key), _OTHERS)
        if turn > _OTHERS:
            heapq.heappush(self._reconciliations, (pace, next(self._order), key))
            self._since[key] = now
        else:
            self._turns[turn].append((key, now))

    def take(self) -> list[str]:
        """Take the next watch, or a few look-ups together: one listing may answer them all.

        Raises:
            IndexError: none waits.
        """
        registrations, look_ups, others = self._turns
        if registrations:
            taken = [registrations.popleft()[0]]
        elif look_ups and not (self._has_looked_up and others):
            self._has_looked_up = True
            taken = [look_ups.popleft()[0] for _ in range(min(MOST_CLAIMS, len(look_ups)))]
        else:
            self._has_looked_up = False
            taken = [others.popleft()[0] if others else self._take_reconciliation()]
        return taken

    def _take_reconciliation(self) -> str:
        key = heapq.heappop(self._reconciliations)[2]
        del self._since[key]
        return key
