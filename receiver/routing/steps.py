"""Observations on their way to what follows from them, many together, one step after another.

To interpret a hundred and then settle a hundred takes two thirds of the time that doing everything
to one after another does: what a step needs, the processor has at hand. What comes out must be the
same, and so a step looks at nothing that a later one of an earlier observation decides. Settling
takes for granted that what it settles is then written: where it is not, they go one by one.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
import structlog

from handlers.fact import Interpretation, Uninterpretable
from handlers.ledger import Settlement
from handlers.letters import Reason
from handlers.observation import Observation, Position
from handlers.provider import Handler
from handlers.writing import WrittenEvent
from receiver.registration.signs import Sign
from receiver.routing.letters import Refusal, refusal_of
from receiver.watches.requests import LookUp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_NOTHING_SAID = Interpretation()


class Case(msgspec.Struct, frozen=True, gc=False):
    """An observation that stands in the inbox under ``key``, and the ledger's horizon as it comes.

    ``horizon`` is None while nothing was ever forgotten.
    """

    key: bytes
    observation: Observation
    at: Position
    horizon: datetime | None = None


class Consequences(msgspec.Struct, gc=False):
    """What follows from one observation. ``refusals`` become dead letters.

    ``events`` go to ``topic``: an observation is about one resource. ``signs`` tell of the
    account's webhooks, each as often as it is seen. ``history`` counts the facts that were entered
    in the ledger because they are history.
    """

    entry: tuple[bytes, bytes] | None = None
    topic: str = ""
    events: Sequence[WrittenEvent] = ()
    duplicates: int = 0
    history: int = 0
    refusals: list[Refusal] = []
    look_up: LookUp | None = None
    signs: Sequence[Sign] = ()


class Progress(msgspec.Struct, gc=False):
    """How far a case has come: what its observation says, and what that does to the ledger.

    ``handler`` is None until it is interpreted, and again once it is refused.
    """

    case: Case
    result: Consequences
    handler: Handler | None = None
    said: Interpretation = _NOTHING_SAID
    settlement: Settlement | None = None

    @property
    def place(self) -> dict[str, object]:
        """Return what a log says of where its observation is."""
        at = msgspec.structs.asdict(self.case.at)
        return {"account": self.case.observation.account, "at": at}

    def refuse(self, reason: str, detail: str) -> None:
        """Let nothing follow from it but a dead letter."""
        self.result = Consequences(refusals=[refusal_of(self.case.observation, reason, detail)])
        self.handler = self.settlement = None


def take_step(step: Callable[[Progress], None], progress: Sequence[Progress]) -> None:
    """Take a step with each; what fails is refused."""
    for each in progress:
        try:
            step(each)
        except Uninterpretable as refusal:
            each.refuse(refusal.reason, refusal.detail)
        except Exception as error:
            log.exception("an observation could not be read", **each.place)
            each.refuse(Reason.INTERNAL_ERROR, repr(error))
