"""What came of a run: everything that its report tells."""

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.checker import Findings
from tests.chaos.faults.machine import DiskFull
from tests.chaos.history import History
from tests.chaos.latency import Latency
from tests.chaos.ledger import Ledger
from tests.chaos.logs import LogSummary

DAMAGED = "spool-damaged"
"""The alarm that a file of a spool cannot be read."""


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
        return self.findings.clean and not self.dead_letters and not self.all_problems()

    @property
    def unavailable_without_cause(self) -> int:
        """Return how often a replica answered 503 while the run let its disk be written."""
        during = self.history.during
        return sum(1 for at in self.ledger.unavailable_at if DiskFull.name not in during(at, at))

    def all_problems(self) -> list[str]:
        """Return ``problems``, faults that went wrong, and what the service should not have done.

        A disk of the machine may hang for longer than a webhook is kept waiting, with three brokers
        on it: replicas log whom they refuse for that, and nobody else may hear 503.
        """
        problems = [*self.problems, *self.history.failures()]
        needless = self.unavailable_without_cause - self.logs.disk_hung
        if needless > 0:
            problems.append(f"503 was answered {needless} times although the disk could be written")
        if self.logs.alarms[DAMAGED]:
            problems.append("a spool was taken for damaged, and no fault damages one")
        return problems
