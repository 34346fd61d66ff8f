"""The verdict: did every event that the sandboxes caused arrive exactly once?"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Counter

from receiver.demo.audience import Heard
from receiver.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the service counted so far."""

    received: int
    refused: int
    observations: int
    published: int
    duplicates: int
    late: int
    dead: int

    @classmethod
    def of(cls, metrics: Metrics) -> "Numbers":
        """Return the sums of ``metrics`` over all accounts."""
        return cls(
            received=_sum(metrics.webhooks, status="200"),
            refused=_sum(metrics.webhooks, status="401"),
            observations=_sum(metrics.observations),
            published=_sum(metrics.events),
            duplicates=_sum(metrics.duplicates),
            late=_sum(metrics.late),
            dead=_sum(metrics.dead_letters),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which facts were missed, came more than once, or came though nobody caused them."""

    caused: int
    arrived: int
    missing: frozenset[str]
    repeated: frozenset[str]
    unexplained: frozenset[str]

    @classmethod
    def of(cls, caused: AbstractSet[UUID], heard: Heard) -> "Verdict":
        """Compare what was caused with what was heard."""
        wanted = frozenset(map(str, caused))
        came = frozenset(heard.ids)
        return cls(
            caused=len(wanted),
            arrived=heard.ids.total(),
            missing=wanted - came,
            repeated=frozenset(fact for fact, count in heard.ids.items() if count > 1),
            unexplained=came - wanted,
        )

    @property
    def exactly_once(self) -> bool:
        """Tell whether all that was caused arrived once, and nothing else did."""
        return self.caused > 0 and not (self.missing or self.repeated or self.unexplained)


def _sum(counter: Counter, **labels: str) -> int:
    samples = (sample for metric in counter.collect() for sample in metric.samples)
    return int(
        sum(
            sample.value
            for sample in samples
            if sample.name.endswith("_total") and labels.items() <= sample.labels.items()
        )
    )
