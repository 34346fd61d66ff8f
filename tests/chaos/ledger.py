"""The generator's own ledger: what was sent, what was answered, and when."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.chaos.checker import Sent
from tests.chaos.story import Fact
from tests.chaos.traffic import Notification

OK = 200
UNAVAILABLE = 503


class Ledger:
    """Written beside the run to a file of JSON lines, and kept in memory for the checker.

    Times are those of ``clock``, in seconds since 1970. A line holds the number of the
    notification, its resource, and what became of one attempt; the notifications themselves follow
    from the seed.
    """

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._file = file.open("w", encoding="utf-8")
        self._sent: dict[Fact, int | None] = {}
        self._acknowledged: dict[Fact, int | None] = {}
        self.acknowledged_at: dict[str, float] = {}
        self.notifications = 0
        self.acknowledged = 0
        self.refused_first: Counter[str] = Counter()
        self.refused = 0
        self.unavailable_at: list[float] = []

    def __enter__(self) -> Self:
        """Return the open ledger."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its file."""
        self._file.close()

    def begin(self, notification: Notification) -> int:
        """Note that ``notification`` is about to be sent; return its number."""
        self._sent.update(notification.facts)
        self.notifications += 1
        return self.notifications

    def answered(
        self, number: int, notification: Notification, attempt: int, outcome: int | str
    ) -> None:
        """Note what came of one attempt (from 1): a status, or the name of what went wrong."""
        now = self._clock()
        key = next(iter(notification.facts)).key
        self._file.write(json.dumps([number, key, attempt, outcome, round(now, 3)]) + "\n")
        if outcome != OK:
            self.refused += 1
            if outcome == UNAVAILABLE:
                self.unavailable_at.append(now)
            if attempt == 1:
                self.refused_first[str(outcome)] += 1
            return
        self.acknowledged += 1
        self._acknowledged.update(notification.facts)
        for fact in notification.facts:
            self.acknowledged_at.setdefault(fact.id, now)

    def sent(self) -> Sent:
        """Return what the checker is to hold the events against."""
        unsure = {
            fact: amount for fact, amount in self._sent.items() if fact not in self._acknowledged
        }
        return Sent(dict(self._acknowledged), unsure)
