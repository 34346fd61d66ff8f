"""A story as JSON."""

from handlers.clock import rfc3339
from handlers.observation import Position
from receiver.dead_letters.advice import advice
from receiver.explaining.evidence import Evidence, SeenEvent, SeenLetter, SeenLookUp, Spooled
from receiver.explaining.spooled import SpoolSearch
from receiver.explaining.story import Remembered, Story, ToldArrival, ToldFact


def as_json(story: Story) -> dict[str, object]:
    """Return the story as ``payevents explain --json`` and ``/v1/explain`` tell it."""
    evidence = story.evidence
    subject = evidence.subject
    return {
        "provider": subject.provider,
        "account": subject.account,
        "kind": subject.kind,
        "id": subject.id,
        "inbox_key": subject.inbox_key,
        "statuses": story.statuses,
        "inbox": _inbox(evidence),
        "observations": [_arrival(told) for told in story.arrivals],
        "spooled": [_spooled(spooled) for spooled in evidence.spooled],
        "ledger": [_remembered(fact) for fact in story.ledger],
        "other_dead_letters": [_letter(letter) for letter in story.other_letters],
    }


def spool_as_json(search: SpoolSearch) -> dict[str, object]:
    """Return what the spool alone holds, as ``payevents explain --json`` tells it without Kafka."""
    return {key.decode(): [_spooled(each) for each in found] for key, found in search.found.items()}


def _inbox(evidence: Evidence) -> dict[str, object]:
    kept = evidence.kept_since
    return {
        "partition": evidence.partition,
        "next_routed": evidence.routed,
        "read_from": None if kept is None else rfc3339(kept),
        "left_out": evidence.left_out,
    }


def _arrival(told: ToldArrival) -> dict[str, object]:
    arrival, says = told.arrival, told.arrival.says
    observation = arrival.observation
    return {
        **_position(arrival.at),
        "received_at": rfc3339(observation.received_at),
        "origin": observation.origin.value,
        "topic": observation.topic,
        "request_id": observation.request_id,
        "sha256": arrival.digest,
        "size": arrival.size,
        "verdict": observation.verdict,
        "redriven_from": observation.letter_id,
        "routed": told.is_routed,
        "facts": [_fact(fact) for fact in told.facts],
        "refusal": says.refusal or None,
        "claim": None
        if says.claim is None
        else {
            "kind": says.claim.kind,
            "action": says.claim.action,
            "known_by": says.claim.known_by,
            "id": says.claim.id,
            "fact": None if told.claim is None else _fact(told.claim),
        },
        "look_ups": [_look_up(look_up) for look_up in told.look_ups],
        "dead_letters": [_letter(letter) for letter in told.letters],
    }


def _fact(told: ToldFact) -> dict[str, object]:
    fact = told.fact
    return {
        "id": str(fact.id),
        "action": fact.action,
        "test": fact.resource.test,
        "occurred_at": None if fact.occurred_at is None else rfc3339(fact.occurred_at),
        "fate": told.fate.value,
        "sequence": told.sequence,
        "silence": told.silence,
        "by": None if told.by is None else _position(told.by),
        "event": None if told.event is None else _event(told.event),
    }


def _event(event: SeenEvent) -> dict[str, object]:
    return {
        "id": str(event.id),
        "topic": event.at.topic,
        **_position(event.at),
        "sequence": event.sequence,
        "inferred": event.inferred,
        "late": event.late,
    }


def _letter(seen: SeenLetter) -> dict[str, object]:
    return {**seen.letter.as_json(), "what_to_do": advice(seen.letter.reason).what_to_do}


def _look_up(look_up: SeenLookUp) -> dict[str, object]:
    return {"asked_at": rfc3339(look_up.asked_at), "state": look_up.state or "ended"}


def _spooled(spooled: Spooled) -> dict[str, object]:
    return {
        "file": spooled.file,
        "received_at": rfc3339(spooled.received_at),
        "topic": spooled.topic,
        "sha256": spooled.digest,
    }


def _remembered(fact: Remembered) -> dict[str, object]:
    return {
        "action": fact.action,
        "test": fact.test,
        "sequence": fact.sequence,
        "observed_at": rfc3339(fact.observed_at),
        "event": None if fact.event is None else _event(fact.event),
        "observation_is_told": fact.told,
        "silence": fact.silence,
        "unannounced": fact.unannounced,
        "announced_by": None if fact.announced_by is None else _position(fact.announced_by),
    }


def _position(at: Position) -> dict[str, object]:
    return {"partition": at.partition, "offset": at.offset}
