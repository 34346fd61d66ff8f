"""The due watches of an account that wait for their turn."""

from collections import deque
from collections.abc import Collection, Iterator

from handlers.provider import RECONCILIATION
from receiver.polling.watchlist import parse_key
from receiver.registration.registered import REGISTRATION
from receiver.watches.requests import LOOK_UP

_TURNS = {REGISTRATION: 0, LOOK_UP: 1, RECONCILIATION: 3}
_OTHERS = 2
"""The turn of what is polled, and of the roots of a reconciliation, which show the latest."""


class Waiting:
    """Watches in the order of their turns: a large reconciliation holds up nothing else.

    The look at the registration goes first, since it is one at a time; then what webhooks claimed,
    then what is polled and the ``roots``, the watches that an account has from the beginning, then
    the rest of reconciliations. Among equals goes first what came first.
    """

    def __init__(self, roots: Collection[str] = ()) -> None:
        self._roots = frozenset(roots)
        self._turns: tuple[deque[tuple[float, str]], ...] = tuple(deque() for _ in range(4))

    def __bool__(self) -> bool:
        """Tell whether any watch waits."""
        return any(self._turns)

    def __iter__(self) -> Iterator[str]:
        """Return those that wait, in their order."""
        return (key for turn in self._turns for _, key in turn)

    @property
    def since(self) -> float | None:
        """Return since when the one waits that waits longest, None if none does."""
        return min((turn[0][0] for turn in self._turns if turn), default=None)

    def add(self, key: str, now: float) -> None:
        """Have a watch wait from ``now`` on, in seconds since 1970."""
        turn = _OTHERS if key in self._roots else _TURNS.get(parse_key(key).kind, _OTHERS)
        self._turns[turn].append((now, key))

    def take(self) -> list[str]:
        """Take the next watch; all look-ups come together, since one listing may answer them.

        Raises:
            IndexError: none waits.
        """
        [turn, *_] = [turn for turn in self._turns if turn] or [deque[tuple[float, str]]()]
        if turn is not self._turns[_TURNS[LOOK_UP]]:
            return [turn.popleft()[1]]
        taken = [key for _, key in turn]
        turn.clear()
        return taken
