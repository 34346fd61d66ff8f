"""What befalls a request to Kafka, chosen by a seed or by a number."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random


class Kind(StrEnum):
    """What can befall one request."""

    NOTHING = "nothing"
    SLOW = "it arrives late"
    SLOW_ANSWER = "the answer arrives late"
    REFUSED = "refused"
    LOST = "lost: time-out without effect"
    ANSWER_LOST = "answer lost: time-out with effect"
    CRASH_BEFORE = "crash before the effect"
    CRASH_AFTER = "crash after the effect"
    FREEZE_BEFORE = "frozen before the effect"
    FREEZE_AFTER = "frozen after the effect"
    FENCED = "fenced before the effect"
    FENCED_AFTER = "fenced after the effect"
    CUT_BEFORE = "cut off before the effect"
    CUT_AFTER = "cut off after the effect"
    RESET = "connection reset, and it arrives late"


@dataclass(frozen=True, slots=True)
class Fate:
    """What befalls a request, and for how many seconds."""

    kind: Kind = Kind.NOTHING
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Point:
    """One request: the ``number`` of it among all of the run, who asks, and what for."""

    number: int
    process: str
    operation: str
    at: float


IDLE = frozenset({"poll", "heartbeat"})
"""Operations that come and go all the time, and show no step of the protocol."""


class Faults:
    """No faults. ``calm`` ends them early, and for ever."""

    def fate(self, point: Point) -> Fate:  # noqa: ARG002 - for subclasses
        """Return what befalls the request."""
        return Fate()

    def calm(self) -> None:
        """Let nothing befall any request from now on."""


@dataclass(slots=True)
class OneFault(Faults):
    """One fault, at the request of this number; ``points`` keeps all requests there were."""

    number: int = -1
    what: Fate = field(default_factory=Fate)
    points: list[Point] = field(default_factory=list)

    def fate(self, point: Point) -> Fate:
        """Return the fault if this is its point."""
        self.points.append(point)
        return self.what if point.number == self.number else Fate()


WEIGHTS: Mapping[Kind, float] = {
    Kind.SLOW: 4,
    Kind.SLOW_ANSWER: 3,
    Kind.REFUSED: 4,
    Kind.LOST: 4,
    Kind.ANSWER_LOST: 6,
    Kind.CRASH_BEFORE: 1,
    Kind.CRASH_AFTER: 2,
    Kind.FREEZE_BEFORE: 1,
    Kind.FREEZE_AFTER: 1,
    Kind.FENCED: 1,
    Kind.FENCED_AFTER: 1,
    Kind.CUT_BEFORE: 1,
    Kind.CUT_AFTER: 2,
    Kind.RESET: 3,
}


class SeededFaults(Faults):
    """Faults at random points: a share ``rate`` of all requests, less of idle ones."""

    def __init__(
        self,
        rng: Random,
        rate: float,
        *,
        weights: Mapping[Kind, float] = WEIGHTS,
        spared: Collection[str] = (),
    ) -> None:
        self._rng = rng
        self._rate = rate
        self._kinds = list(weights)
        self._weights = list(weights.values())
        self._spared = spared

    def fate(self, point: Point) -> Fate:
        """Return what befalls the request."""
        if point.process in self._spared:
            return Fate()
        rate = self._rate / 10 if point.operation in IDLE else self._rate
        if self._rng.random() >= rate:
            return Fate()
        [kind] = self._rng.choices(self._kinds, self._weights)
        return Fate(kind, self.seconds(kind))

    def seconds(self, kind: Kind) -> float:
        """Return for how long, at random: within the sessions' time-outs or far beyond them."""
        if kind is Kind.RESET:
            # While the asker is asking again, or in what it does next.
            return self._rng.uniform(0.0, 0.1)
        longest = 60.0 if kind in {Kind.FREEZE_BEFORE, Kind.FREEZE_AFTER} else 25.0
        return self._rng.choice((0.2, 2.0, longest)) * self._rng.random()

    def calm(self) -> None:
        """Let nothing befall any request from now on."""
        self._rate = 0.0
