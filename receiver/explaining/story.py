"""The story of one subject, put together from the evidence: no Kafka, no waiting."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from handlers.clock import from_microseconds, microseconds
from handlers.fact import Fact
from handlers.history import Silence, silence
from handlers.ledger import Entry, Published
from handlers.observation import Origin, Position
from receiver.explaining.evidence import Arrival, Evidence, SeenEvent, SeenLetter, SeenLookUp


class Fate(StrEnum):
    """What became of a fact that an observation asserts."""

    PUBLISHED = "published"
    """This observation published it."""
    DUPLICATE = "duplicate"
    """It had been published when this observation was routed, and was dropped."""
    LATER = "published-later"
    """This observation could not publish it; one that was routed later did."""
    SILENT = "silent"
    """The ledger holds it, and no event told of it."""
    WAITS = "waits"
    """The observation has not been routed yet."""
    UNPUBLISHED = "unpublished"
    """It is not in the ledger: the observation is, or was, a dead letter."""


@dataclass(frozen=True, slots=True)
class ToldFact:
    """A fact of an observation, and what became of it.

    ``by`` is the observation that published it, where that is known; ``event`` is None where its
    topic holds it no more. ``silence`` is why there was none.
    """

    fact: Fact
    fate: Fate
    sequence: int | None = None
    event: SeenEvent | None = None
    by: Position | None = None
    silence: Silence | None = None


@dataclass(frozen=True, slots=True)
class ToldArrival:
    """An observation with all that followed from it."""

    arrival: Arrival
    is_routed: bool
    facts: tuple[ToldFact, ...]
    claim: ToldFact | None
    look_ups: tuple[SeenLookUp, ...]
    letters: tuple[SeenLetter, ...]
    same_bytes_as: Position | None


@dataclass(frozen=True, slots=True)
class Remembered:
    """A fact of the ledger; ``event`` is None where there was none or its topic holds it no more.

    ``silence`` is why there was none.
    ``told`` is whether an observation of the story published it. ``unannounced`` says that a
    reconciliation did and that no webhook has told of it since; ``announced_by`` is the webhook of
    the story that did so later.
    """

    action: str
    test: bool
    observed_at: datetime
    sequence: int | None
    event: SeenEvent | None
    told: bool
    unannounced: bool = False
    announced_by: Position | None = None
    silence: Silence | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """All of it: each observation in the order of the inbox, and what the ledger holds."""

    evidence: Evidence
    arrivals: tuple[ToldArrival, ...]
    ledger: tuple[Remembered, ...]
    statuses: dict[str, str | None] = field(default_factory=dict)

    @property
    def other_letters(self) -> list[SeenLetter]:
        """Return the letters of observations that the inbox holds no more."""
        told = {each.letter.id for arrival in self.arrivals for each in arrival.letters}
        return [each for each in self.evidence.letters if each.letter.id not in told]


def tell(evidence: Evidence) -> Story:
    """Return the story that the evidence gives."""
    teller = _Teller(evidence)
    return Story(
        evidence,
        teller.arrivals(),
        teller.ledger(),
        {key: entry.status for key, entry in evidence.entries.items()},
    )


class _Teller:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._events = {event.id: event for event in evidence.events}
        self._ledger = dict(_remembered(evidence))

    def arrivals(self) -> tuple[ToldArrival, ...]:
        told = []
        first: dict[str, Position] = {}
        for arrival in self._evidence.arrivals:
            told.append(self._arrival(arrival, first.get(arrival.digest)))
            first.setdefault(arrival.digest, arrival.at)
        return tuple(told)

    def ledger(self) -> tuple[Remembered, ...]:
        here = {arrival.at for arrival in self._evidence.arrivals}
        return tuple(
            Remembered(
                published.action,
                test,
                from_microseconds(published.observed_at),
                sequence,
                self._events.get(fact_id),
                self._publisher(fact_id) in here,
                published.unannounced,
                None if published.unannounced else self._announcer(fact_id),
                self._silence(fact_id),
            )
            for fact_id, (published, sequence, test) in self._ledger.items()
        )

    def _arrival(self, arrival: Arrival, same_bytes_as: Position | None) -> ToldArrival:
        evidence, says = self._evidence, arrival.says
        is_routed = evidence.routed is not None and arrival.at.offset < evidence.routed
        claimed = says.claim.fact if says.claim is not None else None
        return ToldArrival(
            arrival,
            is_routed,
            tuple(self._fact(fact, arrival, is_routed=is_routed) for fact in says.facts),
            None if claimed is None else self._fact(claimed, arrival, is_routed=is_routed),
            tuple(asked for asked in evidence.look_ups if _asked_for(asked, arrival)),
            tuple(seen for seen in evidence.letters if seen.letter.id in arrival.letter_ids),
            same_bytes_as,
        )

    def _fact(self, fact: Fact, arrival: Arrival, *, is_routed: bool) -> ToldFact:
        if not is_routed:
            return ToldFact(fact, Fate.WAITS)
        published, sequence, _ = self._ledger.get(fact.id, (None, None, False))
        event = self._events.get(fact.id)
        if published is None and event is None:
            return ToldFact(fact, Fate.UNPUBLISHED)
        if published is not None and published.silent and event is None:
            return ToldFact(fact, Fate.SILENT, silence=self._silence(fact.id))
        by = self._publisher(fact.id)
        number = event.sequence if event is not None else sequence
        return ToldFact(fact, _fate(arrival.at, by), number, event, by)

    def _silence(self, fact_id: UUID) -> Silence | None:
        """Return why a fact of the ledger gave no event, None if it gave one."""
        published, _, _ = self._ledger[fact_id]
        if not published.silent:
            return None
        entry = next(e for e in self._evidence.entries.values() if published in e.published)
        return silence(entry, published, self._evidence.import_start)

    def _publisher(self, fact_id: UUID) -> Position | None:
        """Return the observation that published a fact: its event says so, else the times do."""
        event = self._events.get(fact_id)
        if event is not None:
            return event.source
        if fact_id not in self._ledger:
            return None
        observed_at = self._ledger[fact_id][0].observed_at
        for arrival in self._evidence.arrivals:
            is_then = microseconds(arrival.observation.received_at) == observed_at
            if is_then and any(fact.id == fact_id for fact in arrival.says.facts):
                return arrival.at
        return None

    def _announcer(self, fact_id: UUID) -> Position | None:
        """Return the first webhook that told of a fact after a reconciliation had published it."""
        publisher = self._publisher(fact_id)
        is_reconciled = False
        for arrival in self._evidence.arrivals:
            origin = arrival.observation.origin
            if arrival.at == publisher:
                is_reconciled = origin is Origin.RECONCILIATION
            elif (
                is_reconciled
                and origin is Origin.WEBHOOK
                and any(fact.id == fact_id for fact in arrival.says.facts)
            ):
                return arrival.at
        return None


def _fate(at: Position, by: Position | None) -> Fate:
    if by == at:
        return Fate.PUBLISHED
    is_later = by is not None and (by.topic, by.partition) == (at.topic, at.partition)
    return Fate.LATER if is_later and by is not None and by.offset > at.offset else Fate.DUPLICATE


def _remembered(evidence: Evidence) -> list[tuple[UUID, tuple[Published, int | None, bool]]]:
    return [
        (UUID(bytes=published.id), (published, sequence, resource.test))
        for resource in evidence.subject.resources
        if resource.partition_key in evidence.entries
        for published, sequence in _numbered(evidence.entries[resource.partition_key])
    ]


def _numbered(entry: Entry) -> list[tuple[Published, int | None]]:
    """Return the facts with their sequence numbers, which those without an event do not have."""
    sequence = 0
    numbered: list[tuple[Published, int | None]] = []
    for published in entry.published:
        sequence += not published.silent
        numbered.append((published, None if published.silent else sequence))
    return numbered


def _asked_for(look_up: SeenLookUp, arrival: Arrival) -> bool:
    return (look_up.digest, look_up.received_at) == (
        arrival.digest,
        arrival.observation.received_at,
    )


def positions_of(story: Story, digest: str) -> Sequence[Position]:
    """Return where bytes with this SHA-256 stand in the inbox, or stood, as far as is known."""
    here = [told.arrival.at for told in story.arrivals if told.arrival.digest == digest]
    events = [event.source for event in story.evidence.events if event.sha256 == digest]
    return list(dict.fromkeys([*here, *events]))
