"""What came of a run: everything that its report tells."""

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.checker import Findings
from tests.chaos.history import History
from tests.chaos.latency import Latency
from tests.chaos.ledger import Ledger
from tests.chaos.logs import LogSummary


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run's outcome. ``seconds`` is how long notifications were sent.

    ``problems`` are what a run must not end with beside the findings: a replica that does not end,
    a notification that nobody took, a spool that is not drained. ``dead_letters`` counts the
    letters by reason: every notification is sound, so each one is wrong.
    """

    seed: int
    seconds: float
    findings: Findings
    latency: Latency
    ledger: Ledger
    history: History
    logs: LogSummary
    dead_letters: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Tell whether the service did all that it promises."""
        wrong = self.problems or self.dead_letters or self.history.failures()
        return self.findings.clean and not wrong
