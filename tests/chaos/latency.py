"""How long acknowledged facts took to become readable."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wait:
    """One fact's way from its first 200 to a reader: when that 200 came, and seconds since."""

    event_id: str
    acknowledged_at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Latency:
    """The waits of a run, shortest first."""

    waits: tuple[Wait, ...]

    @property
    def longest(self) -> Wait | None:
        """Return the longest wait, None if there was none."""
        return self.waits[-1] if self.waits else None

    def quantile(self, share: float) -> float | None:
        """Return the seconds within which ``share`` (0 to 1) of the facts became readable."""
        if not self.waits:
            return None
        return self.waits[min(len(self.waits) - 1, int(share * len(self.waits)))].seconds


def measure(acknowledged_at: Mapping[str, float], read_at: Mapping[str, float]) -> Latency:
    """Return how long each event took; times are on one clock, in seconds, by event id.

    What could be read before its 200 came (the answer was lost, or slower than the event) did not
    wait. What was never read is the checker's to report.
    """
    waits = [
        Wait(event_id, at, max(0.0, read_at[event_id] - at))
        for event_id, at in acknowledged_at.items()
        if event_id in read_at
    ]
    return Latency(tuple(sorted(waits, key=lambda wait: wait.seconds)))
