"""How a process is, part by part, as ``/readyz`` tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a part is."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the process: its state, and why it is not well."""

    state: State
    why: str = ""

    @classmethod
    def judged(cls, why: str) -> "Part":
        """Return a part that failed for the reason given, or is well without one."""
        return cls(State.FAILED, why) if why else cls(State.OK)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole: whether requests and work should be sent here."""

    ready: bool
    parts: Mapping[str, Part]

    def as_json(self) -> dict[str, object]:
        """Return the report as ``/readyz`` shows it."""
        well = all(part.state is State.OK for part in self.parts.values())
        overall = State.FAILED if not self.ready else State.OK if well else State.DEGRADED
        parts = {name: {"state": p.state, "why": p.why} for name, p in self.parts.items()}
        return {"ready": self.ready, "state": overall, "parts": parts}
