"""One contender's turns in an interleaved measurement."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.receive.load import Outcome, Shape
from tests.bench.receive.rounds import Rounds


@dataclass(slots=True)
class Turns:
    """Loads the contender called ``name`` once a round; ``outcomes`` are what came of it.

    ``figure`` is what is compared, of one outcome.
    """

    running: Rounds
    name: str
    shape: Shape
    figure: Callable[[Outcome], float]
    outcomes: list[Outcome] = field(default_factory=list)

    async def next(self) -> float:
        """Take a turn; return its figure.

        Raises:
            NotDurableError: a 200 was untrue.
        """
        outcome = await self.running.round(self.name, self.shape)
        self.outcomes.append(outcome)
        return self.figure(outcome)
