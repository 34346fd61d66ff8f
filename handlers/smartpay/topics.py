"""What a webhook's topic claims, and how far its body bears that out.

The topic header is not signed: a signed ``invoice/created`` body sent again as ``invoice/paid``
would forge a payment. So a topic only ever makes a claim, which is looked up.
"""

from dataclasses import dataclass

import msgspec

from handlers.fact import Claim, Fact, Interpretation, Reading, Uninterpretable
from handlers.jsontext import JsonObject
from handlers.letters import Reason
from handlers.smartpay.body import CUSTOM_ID_FIELDS, ID_FIELDS, INVOICE, ORDER, is_dummy, mentioned

REGISTRATION = "webhook/created"
"""Sent once when a webhook is registered: about no resource at all."""

TOPICS = (
    "invoice/created",
    "invoice/paid",
    "invoice/cancelled",
    "order/created",
    "order/cancelled",
)
"""The topics that can be subscribed."""

UNKNOWN = "(unknown)"
"""What stands for every topic that there is not."""

CUSTOM_ID = "custom_order_id"
"""What an order is known by to the merchant, as ``get_orders`` takes it."""

LOOKED_UP = frozenset({"created", "paid", "cancelled"})
"""The claimed actions that a listing can bear out: it has no field for a refund."""

_CLAIMS = {topic: tuple(topic.split("/")) for topic in (*TOPICS, "invoice/refunded")}
SUBSCRIBED = {(kind, action): topic for topic in TOPICS for kind, action in [topic.split("/")]}
"""The topic that can be subscribed for what happened, by kind and action."""
KNOWN = frozenset((REGISTRATION, *_CLAIMS))
"""The topics that SmartPay has, as far as is known."""


@dataclass(frozen=True, slots=True)
class _Subject:
    known_by: str
    id: str


def bind(
    topic: str, body: JsonObject, reading: Reading | None, *, trusted: bool = False
) -> Interpretation:
    """Return ``reading`` with whatever ``topic`` claims beyond it.

    ``trusted`` is the account's ``trust_topic_header``: a claim about the very resource that keys
    the body is then a fact, undated. A dummy may be what version 2-0 sends when a webhook is
    tested, and so answers us; nobody says that it names anything.

    Raises:
        Uninterpretable: the body names no resource, nor anything to ask by, and is no dummy
            (``no-id``).

    """
    said = _bind(topic, body, reading, trusted=trusted)
    # Whatever calls a part of the body a dummy has made the reading one.
    dummy = is_dummy(body) if reading is None else reading.resource.test
    return msgspec.structs.replace(said, answers_us=True) if dummy else said


def of_registration(body: JsonObject, reading: Reading | None) -> Interpretation:
    """Return what a webhook says that bears the topic :data:`REGISTRATION`.

    One that is about an invoice or order is another one sent again under this topic: what it shows
    is believed as ever, and it is no answer to us.
    """
    if reading is not None:
        return Interpretation(reading)
    return Interpretation(answers_us=_subject(INVOICE, body) is None)


def _bind(
    topic: str, body: JsonObject, reading: Reading | None, *, trusted: bool
) -> Interpretation:
    kind, action = _CLAIMS.get(topic, ("", topic))
    if reading is not None and reading.resource.kind == kind:
        for shown in reading.facts:
            if action == shown.action:
                return Interpretation(reading)
        fact = Fact(reading.resource, action)
        if trusted:
            return Interpretation(msgspec.structs.replace(reading, facts=(*reading.facts, fact)))
        return Interpretation(
            reading, Claim(kind, action, ID_FIELDS[kind], reading.resource.id, fact)
        )
    subject = _subject(kind, body) if kind or reading is None else None
    if subject is None and reading is not None:
        subject = _Subject(ID_FIELDS[reading.resource.kind], reading.resource.id)
    if subject is None and is_dummy(body):
        return Interpretation()
    if subject is None:
        raise Uninterpretable(Reason.NO_ID, "the body names no invoice and no order")
    return Interpretation(reading, Claim(kind, action, subject.known_by, subject.id))


def can_look_up(claim: Claim) -> bool:
    """Tell whether SmartPay's listings can show what is claimed."""
    known_by = {INVOICE: {*ID_FIELDS.values(), CUSTOM_ID}, ORDER: {ID_FIELDS[ORDER], CUSTOM_ID}}
    return claim.action in LOOKED_UP and claim.known_by in known_by.get(claim.kind, ())


def _subject(kind: str, body: JsonObject) -> _Subject | None:
    """Return what to ask by about the invoice or order that the topic means."""
    names = [ID_FIELDS[INVOICE]] if kind == INVOICE else []
    for name in (*names, ID_FIELDS[ORDER]):
        id = mentioned(body, name)  # noqa: A001 - the provider's word
        if id is not None:
            return _Subject(name, id)
    custom_id = mentioned(body, *CUSTOM_ID_FIELDS)
    return None if custom_id is None else _Subject(CUSTOM_ID, custom_id)
