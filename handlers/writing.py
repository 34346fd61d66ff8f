"""Writing events: the bytes of :class:`handlers.event.PaymentEvent`, built without validation.

Nearly all that goes into an event is ours by now and right by construction, so a router need not
have the model check it: that would cost more than all the rest of routing. What a provider could
get wrong, and consumers would take for true, is looked at: amounts and related ids. The tests hold
what is written here against the model, byte for byte.
"""

from collections.abc import Mapping, Sequence

import msgspec

from handlers.clock import rfc3339
from handlers.event import CONTENT_TYPE, SCHEMA, SPECVERSION
from handlers.fact import RANKS, Reading
from handlers.jsontext import Json, JsonObject
from handlers.ledger import Publication
from handlers.money import Amount
from handlers.observation import Headers, Observation, Position
from handlers.uuids import uuid_text

_CONTENT_TYPE_HEADER = ("content-type", CONTENT_TYPE.encode())
_SPECVERSION_HEADER = ("ce_specversion", SPECVERSION.encode())
_TYPES = {
    (kind, action): (type, ("ce_type", type.encode()))
    for kind, ranks in RANKS.items()
    for action in ranks
    for type in (f"payments.{kind}.{action}",)  # noqa: A001 - CloudEvents' word
}
"""The type of an event and the header that tells it, by kind and action."""
_MOST_EXACT = 2**53
"""Readers parse JSON numbers as floats: whole numbers below this one are exact in them."""

_AS_THEY_ARE = frozenset({str, bool, type(None)})
_encode = msgspec.json.Encoder().encode


class WrittenEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as its topic holds it."""

    type: str
    key: bytes
    value: bytes
    headers: Headers
    inferred: bool
    late: bool


class _Resource(msgspec.Struct, frozen=True, gc=False):
    kind: str
    id: str
    url: str | None


class _Amount(msgspec.Struct, frozen=True, gc=False):
    value: str
    minor_units: int
    currency: str


class _Evidence(msgspec.Struct, frozen=True, gc=False):
    topic: str
    partition: int
    offset: int
    sha256: str


class _Data(msgspec.Struct, frozen=True, gc=False):
    provider: str
    account: str
    resource: _Resource
    action: str
    status: str
    previous_status: str | None
    sequence: int
    amount: _Amount | None
    related: dict[str, str]
    occurred_at: str | None
    observed_at: str
    origin: str
    inferred: bool
    late: bool
    test: bool
    evidence: _Evidence
    provider_data: JsonObject


class _Event(msgspec.Struct, frozen=True, gc=False):
    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    dataschema: str
    partitionkey: str
    data: _Data


def write_events(
    publications: Sequence[Publication],
    reading: Reading,
    observation: Observation,
    position: Position,
    *,
    source_base: str = "",
) -> list[WrittenEvent]:
    """Return the events of all that one observation has published, in their order.

    ``source_base`` goes before their ``source``.
    """
    about, names = reading.resource, reading.resource.names
    kind = about.kind
    source, subject, key = f"{source_base}{names.source}", names.subject, names.partition_key
    raw_key = key.encode()
    source_header = ("ce_source", source.encode())
    subject_header = ("ce_subject", subject.encode())
    resource = _Resource(kind, about.id, reading.url)
    amount = _amount(reading.amount)
    related, details = _related(reading.related), _plain(reading.details)
    told_at = observation.received_at
    time = observed_at = rfc3339(told_at)
    origin = str(observation.origin)
    evidence = _Evidence(position.topic, position.partition, position.offset, observation.digest)
    events = []
    for new in publications:
        fact = new.fact
        id = uuid_text(fact.raw_id)  # noqa: A001 - CloudEvents' word
        type, type_header = _TYPES[kind, fact.action]  # noqa: A001 - CloudEvents' word
        if new.time is not told_at:
            # A creation has, as a rule, the time of what implies it, or of the observation.
            told_at, time = new.time, rfc3339(new.time)
        data = _Data(
            about.provider,
            about.account,
            resource,
            fact.action,
            new.status,
            new.previous_status,
            new.sequence,
            amount,
            related,
            None if fact.occurred_at is None else time,
            observed_at,
            origin,
            new.inferred,
            new.late,
            about.test,
            evidence,
            details,
        )
        event = _Event(
            SPECVERSION,
            id,
            source,
            type,
            subject,
            time,
            "application/json",
            SCHEMA,
            key,
            data,
        )
        headers = [
            _CONTENT_TYPE_HEADER,
            _SPECVERSION_HEADER,
            ("ce_id", id.encode()),
            type_header,
            source_header,
            subject_header,
            ("ce_time", time.encode()),
        ]
        events.append(WrittenEvent(type, raw_key, _encode(event), headers, new.inferred, new.late))
    return events


def _amount(amount: Amount | None) -> _Amount | None:
    if amount is None:
        return None
    if amount.minor_units < 0:
        raise ValueError(f"an amount of {amount.minor_units} is negative")
    return _Amount(amount.value, amount.minor_units, amount.currency)


def _related(ids: Mapping[str, str]) -> dict[str, str]:
    for kind, id in ids.items():  # noqa: A001 - the provider's word
        if type(id) is not str:
            raise TypeError(f"the id of the related {kind} is no text")
    return dict(ids)


def _plain(details: JsonObject) -> JsonObject:
    # Readers parse JSON numbers as floats: a decimal goes as text, so that none of it is lost.
    if _AS_THEY_ARE.issuperset(map(type, details.values())):
        return details
    return {name: _plain_value(value) for name, value in details.items()}


def _plain_value(value: Json) -> Json:
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list):
        return [_plain_value(item) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and -_MOST_EXACT < value < _MOST_EXACT:
        return value
    return str(value)
