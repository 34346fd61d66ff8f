"""What one transaction routed, noted as it goes and told once it is committed."""

from datetime import datetime

from handlers.letters import Reason
from handlers.observation import Observation
from receiver.routing.letters import Refusal
from receiver.routing.steps import Consequences


class Tally:
    """The metrics' labels of each observation and of what followed from it, as often as it did.

    They are added up with all that was routed before: to count them here first would take longer
    wherever a transaction holds one or two of each. ``oldest`` is when the first of them was
    received, but for dead letters that are tried again. ``contradictions`` are the refusals that
    sound an alarm, with their accounts.
    """

    def __init__(self) -> None:
        self.observations: list[tuple[str, str]] = []
        self.events: list[tuple[str, str]] = []
        self.inferred: list[str] = []
        self.late: list[str] = []
        self.duplicates: list[str] = []
        self.history: list[str] = []
        self.dead_letters: list[tuple[str, str]] = []
        self.look_ups: list[str] = []
        self.oldest: datetime | None = None
        self.contradictions: list[tuple[str, Refusal]] = []

    def add(self, observation: Observation, result: Consequences) -> None:
        """Note one observation and what followed from it."""
        account = observation.account
        self.observations.append((account, observation.origin))
        received_at = observation.received_at
        if observation.letter_id is None and (self.oldest is None or received_at < self.oldest):
            self.oldest = received_at
        if result.duplicates:
            self.duplicates += [account] * result.duplicates
        if result.history:
            self.history += [account] * result.history
        for event in result.events:
            self.events.append((account, event.type))
            if event.inferred:
                self.inferred.append(account)
            if event.late:
                self.late.append(account)
        for refusal in result.refusals:
            self.dead_letters.append((account, refusal.reason))
            if refusal.reason == Reason.CONTRADICTS_LEDGER:
                self.contradictions.append((account, refusal))
        if result.look_up is not None:
            self.look_ups.append(account)
