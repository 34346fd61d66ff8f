"""Written events: the very bytes that the model of the public schema would have written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.event import (
    AmountData,
    Evidence,
    PaymentData,
    PaymentEvent,
    ResourceData,
)
from handlers.fact import NAMESPACE, RANKS, Fact, Reading
from handlers.jsontext import Json
from handlers.ledger import Publication, settle
from handlers.money import Amount
from handlers.observation import Observation, Origin, Position
from handlers.resource import ResourceKey
from handlers.uuids import uuid_text
from handlers.writing import write_events
from tests.support.event_schema import objections

from .lives import facts, moments
from .samples import AT
from .test_jsontext import JSON
from .test_resource import RESOURCES

TEXT = st.text(max_size=5)
AMOUNTS = st.none() | st.builds(
    Amount, st.integers(0, 10**17), st.sampled_from(["CAD", "JPY", "cherries"])
)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Draw what any provider may show of any resource."""
    resource = draw(RESOURCES)
    return Reading(
        resource,
        tuple(draw(st.lists(facts(resource), min_size=1, max_size=4))),
        draw(AMOUNTS),
        draw(st.dictionaries(TEXT, TEXT, max_size=2)),
        draw(st.dictionaries(TEXT, JSON, max_size=3)),
        draw(st.none() | TEXT),
    )


def modelled(
    new: Publication, reading: Reading, observation: Observation, at: Position, base: str
) -> PaymentEvent:
    """Return the event as the model has it, each part checked."""
    about, fact, amount = reading.resource, new.fact, reading.amount
    return PaymentEvent(
        id=str(fact.id),
        source=f"{base}{about.source}",
        type=f"payments.{about.kind}.{fact.action}",
        subject=about.subject,
        time=new.time,
        partitionkey=about.partition_key,
        data=PaymentData(
            provider=about.provider,
            account=about.account,
            resource=ResourceData(kind=about.kind, id=about.id, url=reading.url),
            action=fact.action,
            status=new.status,
            previous_status=new.previous_status,
            sequence=new.sequence,
            amount=None
            if amount is None
            else AmountData(
                value=amount.value, minor_units=amount.minor_units, currency=amount.currency
            ),
            related=dict(reading.related),
            occurred_at=fact.occurred_at,
            observed_at=observation.received_at,
            origin=observation.origin.value,
            inferred=new.inferred,
            late=new.late,
            test=about.test,
            evidence=Evidence(
                topic=at.topic,
                partition=at.partition,
                offset=at.offset,
                sha256=observation.digest,
            ),
            provider_data=plain(reading.details),
        ),
    )


def plain(details: Mapping[str, Json]) -> dict[str, Any]:
    """Return details as readers' floats can hold them: what they could not is text."""
    return {name: plain_value(value) for name, value in details.items()}


def plain_value(value: Json) -> Any:
    """Return a value without numbers that have decimals, or more digits than a float."""
    match value:
        case dict():
            return plain(value)
        case list():
            return [plain_value(item) for item in value]
        case None | bool() | str():
            return value
        case int() if abs(value) < 2**53:
            return value
        case _:
            return str(value)


@given(
    readings(),
    readings(),
    moments,
    st.sampled_from(Origin),
    st.binary(),
    st.sampled_from(["", "https://é"]),
)
def test_events_are_written_as_their_model_has_them(
    before: Reading, reading: Reading, at: datetime, origin: Origin, body: bytes, base: str
) -> None:
    """Byte for byte, and valid to the published schema, whatever was published before."""
    seen = Observation("shop", origin, "topic", at, body)
    known = (
        None if before.resource.kind != reading.resource.kind else settle(None, before, at).entry
    )
    news = settle(known, reading, at).publications
    written = write_events(news, reading, seen, AT, source_base=base)
    assert len(written) == len(news)
    for new, event in zip(news, written, strict=True):
        model = modelled(new, reading, seen, AT, base)
        assert event.value == model.model_dump_json().encode()
        assert not objections(event.value)
        assert (
            PaymentEvent.model_validate_json(event.value).model_dump_json().encode() == event.value
        )
        assert event.key == model.partitionkey.encode()
        assert (event.type, event.inferred, event.late) == (model.type, new.inferred, new.late)


@pytest.mark.parametrize("kind", sorted(RANKS))
def test_every_action_has_its_type(kind: str) -> None:
    """No fact that may be asserted is without a type of event."""
    about = ResourceKey("acme", "shop", kind, "1")
    shown = Reading(about, tuple(Fact(about, action) for action in RANKS[kind]))
    seen = Observation("shop", Origin.POLL, "t", datetime.fromisoformat("2026-01-01T00:00Z"), b"")
    events = write_events(settle(None, shown, seen.received_at).publications, shown, seen, AT)
    assert {event.type for event in events} == {f"payments.{kind}.{word}" for word in RANKS[kind]}


@given(RESOURCES, st.data(), st.none() | TEXT)
def test_ids_are_those_of_the_standard_library(
    resource: ResourceKey, data: st.DataObject, discriminator: str | None
) -> None:
    """The bytes of an id, and its text, are what ``uuid`` makes of the same name."""
    action = data.draw(st.sampled_from(sorted(RANKS[resource.kind])))
    fact = Fact(resource, action, discriminator=discriminator)
    name = f"{resource.partition_key}/{action}"
    if discriminator is not None:
        name = f"{name}/{quote(discriminator, safe='')}"
    assert fact.id == uuid5(NAMESPACE, name) == UUID(uuid_text(fact.raw_id))
    assert uuid_text(fact.raw_id) == str(fact.id)


@pytest.mark.parametrize(
    "wrong",
    [{"amount": Amount(-1, "CAD")}, {"related": {"order": 7}}],
    ids=["a negative amount", "an id that is no text"],
)
def test_what_a_provider_got_wrong_is_not_written(wrong: dict[str, Any]) -> None:
    """Consumers would take it for true: it is refused, as the model refuses it."""
    about = ResourceKey("acme", "shop", "invoice", "1")
    shown = Reading(about, (Fact(about, "created"),), **wrong)
    seen = Observation("shop", Origin.POLL, "t", datetime.fromisoformat("2026-01-01T00:00Z"), b"")
    news = settle(None, shown, seen.received_at).publications
    with pytest.raises((ValueError, TypeError)):
        write_events(news, shown, seen, AT)
