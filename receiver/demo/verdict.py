"""The verdict: did every event that the sandboxes caused arrive exactly once?"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from receiver.demo.audience import Heard
from receiver.observability.metrics import Metrics


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
            received=metrics.answers.total(200),
            refused=metrics.answers.total(401),
            observations=metrics.routed.observations.total(),
            published=metrics.routed.events.total(),
            duplicates=metrics.routed.duplicates.total(),
            late=metrics.routed.late.total(),
            dead=metrics.routed.dead_letters.total(),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which facts were missed, came more than once, or came though nobody caused them.

    ``silent`` are the accounts whose whole story came to no fact at all: a service that refuses
    every webhook, or never polls, misses nothing that anybody was told of.
    """

    caused: int
    arrived: int
    missing: frozenset[str]
    repeated: frozenset[str]
    unexplained: frozenset[str]
    silent: frozenset[str]

    @classmethod
    def of(
        cls,
        caused: Mapping[str, AbstractSet[UUID]],
        heard: Heard,
        *,
        told: AbstractSet[str] = frozenset(),
    ) -> "Verdict":
        """Compare what was caused, by account, with what was heard.

        ``told`` are the accounts whose stories were told to their end.
        """
        wanted = frozenset(str(fact) for facts in caused.values() for fact in facts)
        came = frozenset(heard.ids)
        return cls(
            caused=len(wanted),
            arrived=heard.ids.total(),
            missing=wanted - came,
            repeated=frozenset(fact for fact, count in heard.ids.items() if count > 1),
            unexplained=came - wanted,
            silent=frozenset(account for account in told if not caused[account]),
        )

    @property
    def exactly_once(self) -> bool:
        """Tell whether all that was caused arrived once, nothing else did, and none is silent."""
        wrong = self.missing | self.repeated | self.unexplained | self.silent
        return self.caused > 0 and not wrong
