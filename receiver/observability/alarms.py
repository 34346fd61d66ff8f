"""Alarms: what a person must look at, said the same way in the log, the metrics and the status."""

from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import structlog

from handlers.clock import Clock, rfc3339

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


TICKETS = frozenset(
    {
        "provider-away",
        "provider-warns",
        "calls-exhausted",
        "contradicts-ledger",
        "resource-too-large",
        "old-key-in-use",
    }
)
"""The codes of alarms that can wait for a working day: docs/operations.md pages on all others."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong: since when, why, and what to do about it."""

    account: str
    code: str
    why: str
    remedy: str
    since: datetime

    @property
    def urgency(self) -> str:
        """Return ``page`` if somebody must look at it at once, else ``ticket``."""
        return "ticket" if self.code in TICKETS else "page"

    def as_json(self) -> dict[str, str]:
        """Return the alarm as ``/v1/status`` shows it."""
        return {
            "account": self.account,
            "code": self.code,
            "why": self.why,
            "what_to_do": self.remedy,
            "since": rfc3339(self.since),
            "urgency": self.urgency,
        }


class Alarms:
    """The alarms of this process that are not over yet, by account and code."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._present: dict[str, dict[str, Alarm]] = {}

    @property
    def present(self) -> list[Alarm]:
        """Return the alarms, the oldest first."""
        alarms = chain.from_iterable(codes.values() for codes in self._present.values())
        return sorted(alarms, key=lambda alarm: alarm.since)

    def concern(self, account: str) -> bool:
        """Tell whether an account has any alarm."""
        return account in self._present

    def sound(self, account: str, code: str, *, why: str, remedy: str) -> None:
        """Raise an alarm, or keep it up with a new reason; it is logged only when it is new."""
        codes = self._present.setdefault(account, {})
        known = codes.get(code)
        since = known.since if known else self._clock()
        codes[code] = Alarm(account, code, why, remedy, since)
        if known is None:
            log.error("alarm", account=account, code=code, why=why, what_to_do=remedy)

    def over(self, account: str, code: str) -> None:
        """End an alarm, if it is there."""
        codes = self._present.get(account)
        if codes is None or codes.pop(code, None) is None:
            return
        if not codes:
            del self._present[account]
        log.info("alarm over", account=account, code=code)
