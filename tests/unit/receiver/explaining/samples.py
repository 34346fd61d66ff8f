"""Evidence for the tests, in the words of the story: who told what, and what the router did."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from handlers.fact import Claim, Fact, Reading
from handlers.history import ImportSince
from handlers.ledger import Entry, settle
from handlers.letters import Reason, letter_id
from handlers.observation import Observation, Origin, Position
from handlers.resource import ResourceKey
from receiver.dead_letters.letter import DeadLetter
from receiver.explaining.evidence import Arrival, Evidence, Says, SeenEvent, SeenLetter
from receiver.explaining.subject import Subject

START = datetime(2026, 1, 1, tzinfo=UTC)
SUBJECT = Subject("smartpay", "shop", "invoice", "i1")
LIVE, TEST = SUBJECT.resources
CREATED, PAID = Fact(LIVE, "created"), Fact(LIVE, "paid")
CLAIM = Claim("invoice", "paid", "invoice_id", "i1", PAID)


@dataclass
class Kafka:
    """An inbox partition, and what a router made of it."""

    arrivals: list[Arrival] = field(default_factory=list)
    events: list[SeenEvent] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    letters: list[SeenLetter] = field(default_factory=list)
    routed: int = 0
    import_since: ImportSince | None = None

    def take(
        self, body: str, *facts: Fact, claim: Claim | None = None, refusal: str = "", **more: str
    ) -> Arrival:
        """Append an observation that says this."""
        offset = len(self.arrivals)
        observation = Observation(
            account="shop",
            origin=Origin(more.get("origin", Origin.WEBHOOK)),
            topic=more.get("topic", "invoice/created"),
            received_at=START + timedelta(minutes=offset),
            body=body.encode(),
            letter_id=more.get("letter_id"),
        )
        arrival = Arrival(
            at=Position("inbox", 3, offset),
            observation=observation,
            digest=sha256(body.encode()).hexdigest(),
            size=len(body),
            says=Says(facts, claim, refusal),
            letter_ids=frozenset(letter_id(observation, reason) for reason in Reason),
        )
        self.arrivals.append(arrival)
        return arrival

    def route(self, arrival: Arrival, resource: ResourceKey = LIVE) -> None:
        """Publish what is new in it."""
        self.routed = arrival.at.offset + 1
        if not arrival.says.facts:
            return
        key, reading = resource.partition_key, Reading(resource, arrival.says.facts)
        origin = arrival.observation.origin
        settlement = settle(
            self.entries.get(key),
            reading,
            arrival.observation.received_at,
            announces=arrival.says.facts if origin is Origin.WEBHOOK else (),
            unannounced=arrival.says.facts if origin is Origin.RECONCILIATION else (),
            import_since=self.import_since,
        )
        self.entries[key] = settlement.entry
        for publication in settlement.publications:
            self.events.append(
                SeenEvent(
                    id=publication.fact.id,
                    action=publication.fact.action,
                    at=Position("payments.invoices", 1, len(self.events)),
                    sequence=publication.sequence,
                    source=arrival.at,
                    sha256=arrival.digest,
                    inferred=publication.inferred,
                    late=publication.late,
                    test=resource.test,
                )
            )

    def refuse(self, arrival: Arrival, reason: Reason) -> SeenLetter:
        """Make a dead letter of it."""
        self.routed = arrival.at.offset + 1
        observation = arrival.observation
        letter = DeadLetter(
            id=letter_id(observation, reason),
            account=observation.account,
            origin=observation.origin,
            topic=observation.topic,
            reason=reason,
            detail="the detail",
            count=1,
            first_at="2026-01-01T00:00:00Z",
            last_at="2026-01-01T00:00:00Z",
            inbox_position=f"{arrival.at.partition}/{arrival.at.offset}",
        )
        self.letters.append(SeenLetter(letter, arrival.digest))
        return self.letters[-1]

    def evidence(self) -> Evidence:
        """Return all of it."""
        return Evidence(
            SUBJECT,
            partition=3,
            routed=self.routed,
            kept_since=START,
            arrivals=tuple(self.arrivals),
            entries=self.entries,
            events=tuple(self.events),
            letters=tuple(self.letters),
            import_start=None if self.import_since is None else self.import_since.day,
        )
