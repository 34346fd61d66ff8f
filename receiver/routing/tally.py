"""What one transaction routed, added up as it goes and told once it is committed."""

from collections import defaultdict

from handlers.letters import Reason
from handlers.observation import Observation
from receiver.routing.letters import Refusal
from receiver.routing.route import Consequences


class Tally:
    """Counts of observations and of what followed from them, by the labels of the metrics.

    ``contradictions`` are the refusals that sound an alarm, with their accounts.
    """

    def __init__(self) -> None:
        self.observations: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.events: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.inferred: defaultdict[str, int] = defaultdict(int)
        self.late: defaultdict[str, int] = defaultdict(int)
        self.duplicates: defaultdict[str, int] = defaultdict(int)
        self.dead_letters: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.look_ups: defaultdict[str, int] = defaultdict(int)
        self.contradictions: list[tuple[str, Refusal]] = []

    def add(self, observation: Observation, result: Consequences) -> None:
        """Count one observation and what followed from it."""
        account = observation.account
        self.observations[account, observation.origin] += 1
        self.duplicates[account] += result.duplicates
        for event in result.events:
            self.events[account, event.type] += 1
            self.inferred[account] += event.inferred
            self.late[account] += event.late
        for refusal in result.refusals:
            self.dead_letters[account, refusal.reason] += 1
            if refusal.reason == Reason.CONTRADICTS_LEDGER:
                self.contradictions.append((account, refusal))
        if result.look_up is not None:
            self.look_ups[account] += 1
