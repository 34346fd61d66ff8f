"""The consumer of the chaos run: reads all the while, and remembers when each event came."""

import threading
import time
from collections.abc import Collection
from typing import Self

from tests.chaos.story import Event, event_in
from tests.kafka.reader import follow


class Watcher:
    """A read_committed consumer in a thread of its own.

    ``events`` are all that it read, in partition order; ``read_at`` says when it first read each
    id, in seconds since 1970. ``servers`` are reached directly, not by way of the proxies.
    """

    def __init__(self, servers: str, topics: Collection[str]) -> None:
        self._servers = servers
        self._topics = topics
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._error: BaseException | None = None
        self.events: list[Event] = []
        self.read_at: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Begin to read."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop reading."""
        self._stopped.set()
        self._thread.join()

    def check(self) -> None:
        """Raise whatever ended the reading."""
        if self._error is not None:
            raise RuntimeError("the consumer ended") from self._error

    def missing(self, ids: Collection[str]) -> int:
        """Return how many of ``ids`` were not read yet."""
        return sum(1 for event_id in ids if event_id not in self.read_at)

    def _run(self) -> None:
        try:
            for batch in follow(self._servers, self._topics, self._stopped.is_set):
                now = time.time()
                for record in batch:
                    event = event_in(record)
                    self.events.append(event)
                    self.read_at.setdefault(event.id, now)
        except BaseException as error:  # noqa: BLE001 - handed on to whoever calls check()
            self._error = error
