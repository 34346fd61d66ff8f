"""What was asked of SmartPay's API: when, by whom, and how it went for whoever asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from handlers.exchange import Request, Response
from handlers.jsontext import Unreadable
from handlers.smartpay.sandbox.errors import DISABLED, INVALID_KEY, INVALID_TOKEN, THROTTLED
from tests.simulation.loop import moment
from tests.simulation.process import CURRENT, Process


class Answer(StrEnum):
    """What an answer tells of the account as a whole."""

    WELL = "well"
    NOTHING = "nothing"
    FAILURE = "failure"
    REFUSAL = "refusal"


@dataclass(slots=True, eq=False)
class Call:
    """One call. ``heard`` is what its answer told whoever made it; None if none came."""

    began: datetime
    process: Process | None
    heard: Answer | None = None

    @property
    def is_awaited(self) -> bool:
        """Tell whether there is still somebody who waits for an answer."""
        return self.process is None or self.process.alive


@dataclass(slots=True)
class Calls:
    """All calls of a run. ``arrived`` are the times of those that reached the API.

    ``takeovers`` are the times at which somebody began to call, by what had been committed: what
    was heard just before may be unknown to them.
    """

    made: list[Call] = field(default_factory=list)
    arrived: list[datetime] = field(default_factory=list)
    takeovers: list[datetime] = field(default_factory=list)
    overlaps: list[tuple[Call, Call]] = field(default_factory=list)
    _under_way: dict[Call, None] = field(default_factory=dict)

    @contextmanager
    def made_now(self) -> Iterator[Call]:
        """Count a call, which is under way for as long as somebody waits and it is not answered."""
        call = Call(moment(), CURRENT.get())
        self.overlaps += [(other, call) for other in self._under_way if other.is_awaited]
        self.made.append(call)
        self._under_way[call] = None
        try:
            yield call
        finally:
            self.answered(call)

    def answered(self, call: Call) -> None:
        """Note that a call is over for SmartPay, whether or not anybody hears the answer."""
        self._under_way.pop(call, None)


def told(request: Request, response: Response) -> Answer:
    """Return what an answer tells of the account."""
    try:
        errors = response.object().get("errors")
    except Unreadable:
        return Answer.FAILURE
    if not isinstance(errors, dict):
        return Answer.NOTHING if request.path.endswith("/authenticate") else Answer.WELL
    if str(INVALID_TOKEN.code) in errors:
        return Answer.NOTHING
    if {str(DISABLED.code), str(INVALID_KEY.code)} & errors.keys():
        return Answer.REFUSAL
    # What else is refused is the one call's fault, and proves that the account is served.
    return Answer.FAILURE if str(THROTTLED.code) in errors else Answer.WELL
