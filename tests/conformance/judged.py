"""What any reading of a provider must be, and the events that are made of it."""

import msgspec

from handlers.fact import RANKS, Claim, Interpretation, Reading, Uninterpretable
from handlers.jsontext import compact
from handlers.ledger import settle
from handlers.observation import Observation, Position
from handlers.provider import Handler
from handlers.writing import write_events
from tests.support.event_schema import objections


def interpreted(handler: Handler, observation: Observation) -> Interpretation | None:
    """Interpret an observation, and judge what is said; None where it is uninterpretable."""
    why = None
    try:
        said = handler.interpret(observation)
    except Uninterpretable as refused:
        why = (refused.reason, refused.detail)
    if why is not None:
        assert all(why), "a dead letter needs its reason and its detail"
        assert "/".join(why).encode(), "a dead letter's headers are UTF-8"
        return None
    assert isinstance(said, Interpretation)
    if said.reading is not None:
        judge_reading(handler, observation, said.reading)
    if said.claim is not None:
        judge_claim(handler, said.claim)
    return said


def judge_reading(handler: Handler, observation: Observation, reading: Reading) -> None:
    """Check a reading by itself, and that valid events can be made of it."""
    resource, account = reading.resource, handler.account
    assert (resource.provider, resource.account) == (account.provider, account.name)
    assert handler.inbox_key(observation.topic, observation.body) == resource.inbox_key
    assert reading.facts, "a reading without a fact says nothing"
    for fact in reading.facts:
        assert fact.resource == resource
        assert fact.action in RANKS[resource.kind]
        assert fact.occurred_at is None or fact.occurred_at.utcoffset() is not None
    actions = {fact.action for fact in reading.facts}
    assert reading.denied <= RANKS[resource.kind].keys() - actions
    for name, found in reading.related.items():
        assert isinstance(name, str)
        assert isinstance(found, str)
    msgspec.json.decode(compact(reading.details))
    settled = settle(None, reading, observation.received_at)
    at = Position("payevents.inbox", 0, 0)
    for event in write_events(settled.publications, reading, observation, at):
        assert not objections(event.value)


def judge_claim(handler: Handler, claim: Claim) -> None:
    """Check that a claim can be kept in a record, and that asking about it is decided."""
    assert claim.id
    assert isinstance(handler.can_look_up(claim), bool)
    assert msgspec.json.encode([claim.kind, claim.action, claim.known_by, claim.id])
    if claim.fact is not None:
        assert claim.fact.resource.account == handler.account.name
        assert claim.fact.resource.provider == handler.account.provider
