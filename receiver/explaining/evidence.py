"""What the topics and the spool hold about one subject, as small as a story needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from handlers.fact import Claim, Fact
from handlers.ledger import Entry
from handlers.observation import Observation, Position
from receiver.dead_letters.letter import DeadLetter
from receiver.explaining.subject import Subject


@dataclass(frozen=True, slots=True)
class Says:
    """What an observation asserts by the knowledge of today; ``refusal`` is why it cannot be read.

    ``is_unknown`` tells that nobody here can say: the account is not configured.
    ``contradicts`` and such follow from the ledger, and are not here: their letters tell of them.
    """

    facts: tuple[Fact, ...] = ()
    claim: Claim | None = None
    refusal: str = ""
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Arrival:
    """An observation in the inbox, without its body; ``size`` is that in bytes.

    ``letter_ids`` are the names of all dead letters that it can become.
    """

    at: Position
    observation: Observation
    digest: str
    size: int
    says: Says
    letter_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event in its topic, at ``at``; ``source`` is the observation that it was made from."""

    id: UUID
    action: str
    at: Position
    sequence: int
    source: Position
    sha256: str
    inferred: bool
    late: bool
    test: bool


@dataclass(frozen=True, slots=True)
class SeenLetter:
    """A dead letter that is there, with the SHA-256 of its bytes."""

    letter: DeadLetter
    digest: str


@dataclass(frozen=True, slots=True)
class SeenLookUp:
    """A look-up that a router asked for; ``state`` says how it stands, empty if it has ended."""

    claim: Claim
    asked_at: datetime
    digest: str
    received_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Spooled:
    """An observation in a spool file of this host that no process uses."""

    file: str
    received_at: datetime
    topic: str
    digest: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was found about a subject.

    ``partition`` is that of its observations and ledger entries, ``routed`` the offset there that
    is routed next (None where no router has ever committed), ``kept_since`` the time of the oldest
    record read there. ``entries`` are by partition key. ``left_out`` counts the oldest arrivals,
    beyond the number that a story holds. ``import_start`` is that of the account as it is now.
    """

    subject: Subject
    partition: int
    routed: int | None = None
    kept_since: datetime | None = None
    arrivals: Sequence[Arrival] = ()
    left_out: int = 0
    entries: Mapping[str, Entry] = field(default_factory=dict)
    events: Sequence[SeenEvent] = ()
    letters: Sequence[SeenLetter] = ()
    look_ups: Sequence[SeenLookUp] = ()
    spooled: Sequence[Spooled] = ()
    import_start: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing at all is known of the subject."""
        return not (self.arrivals or self.entries or self.events or self.letters or self.spooled)
