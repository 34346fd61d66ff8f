"""The plan of a run: rounds of faults, drawn from a seed, the same ones for the same seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.chaos.faults import FAULTS, Fault, Targets
from tests.chaos.faults.base import seconds

MOST_AT_ONCE = 3
MIXED = 0.65
"""How often a round that could take one more fault does."""

SETTLED = 0.7
"""How often a round waits for the service to be as it was before the last one."""


@dataclass(frozen=True, slots=True)
class Round:
    """Faults that strike at once, each ``after`` some seconds; then everything is whole again.

    ``settled`` tells whether they wait for some replica to run each partition, or strike while the
    service may still be at getting over the last ones. ``pause`` is how long all is left in peace
    afterwards, in seconds. ``covered`` tells whether every kind of fault has been in this round or
    one before.
    """

    number: int
    faults: tuple[Fault, ...]
    after: tuple[float, ...]
    settled: bool
    pause: float
    covered: bool

    def __str__(self) -> str:
        """Return the round for people to read."""
        timed = zip(self.faults, self.after, strict=True)
        told = "; ".join(f"after {after} s {fault}" for fault, after in timed)
        settled = "once all is settled, " if self.settled else ""
        return f"{self.number}. {settled}{told}; then {self.pause} s of peace"


def plan(
    seed: int, *, nodes: int, services: int, partitions: int, kinds: Sequence[type[Fault]] = FAULTS
) -> Iterator[Round]:
    """Yield rounds for ever. Each kind is in as many of them as any other, give or take one.

    Faults of one round never share an area, so that no more breaks than may.
    """
    rng = Random(seed)
    deck: list[type[Fault]] = []
    number = 0
    covered = False
    while True:
        if not deck:
            deck = rng.sample(kinds, len(kinds))
        number += 1
        chosen = _choose(rng, deck)
        covered = covered or not deck
        service, networked, clocked = rng.sample(range(services), 3)
        targets = Targets(
            node=rng.randrange(nodes),
            partition=rng.randrange(partitions),
            nodes=nodes,
            service=service,
            networked=networked,
            clocked=clocked,
        )
        faults = tuple(kind.draw(rng, targets) for kind in chosen)
        after = tuple(seconds(rng, 0, 3) if place else 0.0 for place in range(len(faults)))
        settled = rng.random() < SETTLED
        yield Round(number, faults, after, settled, seconds(rng, 1, 3), covered)


def _choose(rng: Random, deck: list[type[Fault]]) -> list[type[Fault]]:
    """Take from ``deck`` the next kind, and perhaps others that go together with it."""
    chosen = [deck.pop(0)]
    for kind in list(deck):
        if len(chosen) == MOST_AT_ONCE:
            break
        apart = all(kind.areas.isdisjoint(other.areas) for other in chosen)
        if apart and rng.random() < MIXED:
            chosen.append(kind)
            deck.remove(kind)
    return chosen
