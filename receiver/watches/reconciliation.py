"""A reconciliation that was asked for, seen from outside: what is read, what is left, and why."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

from handlers.provider import Watch
from handlers.resource import encode
from receiver.kafka.snapshot import OF_THE_TABLE
from receiver.polling.entry import WatchEntry
from receiver.polling.watchlist import is_note
from receiver.shards.table import Table
from receiver.watches.registration import Registrar

_CONTINUED = encode("/")
_BATCH = 1_000
_WAIT_MS = 500


@dataclass(frozen=True, slots=True)
class _Visited:
    """When a watch was last visited, in seconds since 1970, and what went wrong."""

    at: float
    error: str | None


class Reconciliation:
    """The watches of one account's reconciliation, as the records of the watchlist tell of them.

    A watch that is over is gone from the watchlist, and one that was not taken up yet is not there
    either: how far the requests were handled, which the watchlist tells too, decides.
    ``is_whole`` is false in the middle of what was committed together.
    """

    def __init__(self, account: str, watches: Sequence[Watch]) -> None:
        self.windows = [watch.key for watch in watches]
        self._watches = watches
        self._of_account = f"{account}/"
        self._table = Table()
        self._visited: dict[str, _Visited] = {}
        self._known = set(self.windows)
        self._last: tuple[int, int] | None = None
        self.is_whole = True

    async def ask(self, registrar: Registrar) -> None:
        """Ask the poller, wherever it runs, for all of it.

        Raises:
            NotDurable: a request is not in Kafka; those before it are.
        """
        for watch in self._watches:
            self._last = await registrar.start(watch)

    @property
    def partition(self) -> int | None:
        """Return the partition of the watchlist that tells of it, None before it was asked for."""
        return None if self._last is None else self._last[0]

    def take(self, key: bytes, value: bytes | None) -> None:
        """Take one record of that partition into account."""
        name = key.decode(errors="replace")
        self.is_whole = key.startswith(OF_THE_TABLE)
        if self.is_whole:
            was_taken_up = self.is_taken_up
            self._table.apply(key, value)
            if self.is_taken_up and not was_taken_up:
                # Whatever an earlier run was cut into is no part of this one.
                self._known = {*self.windows, *filter(self._is_part, self._visited)}
        elif value is None:
            self._visited.pop(name, None)
        elif name.startswith(self._of_account) and not is_note(name):
            entry = WatchEntry.decode(value)
            self._visited[name] = _Visited(entry.last_polled_at or 0.0, entry.error)
            if self._is_part(name):
                self._known.add(name)

    @property
    def is_taken_up(self) -> bool:
        """Return whether a poller has seen all that was asked for."""
        position = self._table.position
        if self._last is None or position is None:
            return False
        _, offset = self._last
        return position.offset > offset

    @property
    def left(self) -> dict[str, str | None]:
        """Return the windows that are not read to their end, each with what went wrong there."""
        if not self.is_taken_up:
            return dict.fromkeys(self.windows)
        found = {window: self._of(window) for window in self.windows}
        return {window: visited.error for window, visited in found.items() if visited is not None}

    @property
    def progress(self) -> tuple[int, int]:
        """Return how many windows and parts of windows are read, and how many are known of."""
        if not self.is_taken_up:
            return 0, len(self.windows)
        return len(self._known - self._visited.keys()), len(self._known)

    @property
    def trouble(self) -> str | None:
        """Return what stands in the way, None if nothing is known to.

        It may have come up at another watch of the account, which then rests as a whole.
        """
        last = max(self._visited.values(), key=lambda visited: visited.at, default=None)
        errors = [*self.left.values(), None if last is None else last.error]
        return next((error for error in errors if error is not None), None)

    def _is_part(self, key: str) -> bool:
        return any(key.startswith(window + _CONTINUED) for window in self.windows)

    def _of(self, window: str) -> _Visited | None:
        """Return the last visit of a window or of what it goes on as, None if it is over."""
        continued = window + _CONTINUED
        return next(
            (v for key, v in self._visited.items() if key == window or key.startswith(continued)),
            None,
        )


async def wait(
    asked: Reconciliation,
    records: AIOKafkaConsumer,
    *,
    patience: float,
    tell: Callable[[], None],
) -> bool:
    """Follow ``records``, the watchlist from its beginning; return True once nothing is left.

    Returns False once nothing was finished for ``patience`` seconds although there is trouble, or
    nobody took the requests up. ``tell`` is called whenever something was finished or found.

    Raises:
        KafkaError: the watchlist cannot be read.
    """
    now = asyncio.get_running_loop().time
    left, progress, since = asked.left, asked.progress, now()
    while not asked.is_taken_up or left:
        fetched = await records.getmany(timeout_ms=_WAIT_MS, max_records=_BATCH)
        for partition, found in fetched.items():
            if partition.partition == asked.partition:
                for record in found:
                    asked.take(record.key or b"", record.value)
        if not asked.is_whole:
            # A window that ends and what it goes on as are written together.
            continue
        left = asked.left
        before, progress = progress, asked.progress
        if progress != before:
            since = now()
            tell()
        is_held_up = not asked.is_taken_up or asked.trouble is not None
        if is_held_up and now() - since > patience:
            return False
    return True
