"""Facts: what an observation asserts, their deterministic ids and their natural order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from handlers.clock import Microseconds, microseconds
from handlers.jsontext import JsonObject
from handlers.money import Amount
from handlers.once import once
from handlers.resource import ResourceKey, encode
from handlers.uuids import uuid5

NAMESPACE = UUID("c0b1d7e6-3f52-5d0b-9a55-0d3a5b8f6e21")
"""The UUIDv5 namespace of fact ids. To change it would publish everything anew."""

RANKS: Mapping[str, Mapping[str, int]] = {
    "invoice": {"created": 0, "failed": 1, "paid": 1, "refunded": 2, "cancelled": 3},
    "order": {"created": 0, "cancelled": 1},
    "charge": {"declined": 0, "succeeded": 0, "updated": 1, "voided": 2},
    "refund": {"declined": 0, "succeeded": 0, "updated": 1, "voided": 2},
    "transfer": {"requested": 0, "updated": 1, "confirmed": 2},
    "transfer_request": {"requested": 0, "updated": 1, "confirmed": 2},
}
"""The actions of each kind, by their place in a resource's life."""

CREATIONS = frozenset({"created", "requested"})
"""The actions that a later fact implies, and that alone are ever inferred."""

UNDATED: Microseconds = -(1 << 63)
"""Stands in an order key for the time of what has none: before all that have one."""

OrderKey: TypeAlias = tuple[int, Microseconds, bytes]
"""A fact's place in the natural order: rank, the provider's time (none first), id."""

_NAMESPACE = NAMESPACE.bytes


class Fact(msgspec.Struct, frozen=True, dict=True, cache_hash=True):
    """One thing that happened to a resource, once: "invoice aBc123 was paid".

    ``discriminator`` comes from the provider's own data and is set only where the same action can
    truly recur. ``occurred_at`` is None where the provider does not say.
    """

    resource: ResourceKey
    action: str
    occurred_at: datetime | None = None
    discriminator: str | None = None

    @property
    def id(self) -> UUID:
        """Return the id, the same for whoever asserts this fact, however often."""
        return UUID(bytes=self.raw_id)

    @property
    def raw_id(self) -> bytes:
        """Return the 16 bytes of the id."""
        return self.order_key[2]

    @property
    def rank(self) -> int:
        """Return the place of the action in the life of such a resource."""
        return self.order_key[0]

    @once
    def order_key(self) -> OrderKey:
        """Return its place in the natural order: rank, the provider's time (none first), id."""
        resource, action = self.resource, self.action
        name = f"{resource.names.partition_key}/{action}"
        if self.discriminator is not None:
            name = f"{name}/{encode(self.discriminator)}"
        occurred_at = UNDATED if self.occurred_at is None else microseconds(self.occurred_at)
        return (RANKS[resource.kind][action], occurred_at, uuid5(_NAMESPACE, name))


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What one observation shows of the one resource that keys it.

    ``denied`` holds the actions that a live read like this one rules out (an invoice shown without
    ``date_paid`` is not paid). ``details`` goes to the event as ``provider_data``. ``created_at``
    is when the resource came into being, where the provider says so, be it no fact.
    """

    resource: ResourceKey
    facts: tuple[Fact, ...]
    amount: Amount | None = None
    related: Mapping[str, str] = msgspec.field(default_factory=dict)
    details: JsonObject = msgspec.field(default_factory=dict)
    url: str | None = None
    denied: frozenset[str] = frozenset()
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What an observation's topic says beyond its body: to be looked up, never believed.

    ``known_by`` names the provider's field to ask by (``invoice_id``, ``custom_order_id``), and
    ``id`` its value. ``fact`` is the claimed fact where the body names its resource; None where
    only the answer will tell which resource is meant.
    """

    kind: str
    action: str
    known_by: str
    id: str
    fact: Fact | None = None


class Interpretation(msgspec.Struct, frozen=True, gc=False):
    """All that one observation says: what its body shows, and what only its topic claims.

    Both are None for a message about no resource at all, such as SmartPay's ``webhook/created``.
    ``answers_us`` says of a webhook that a provider sends it when it is told to: on registering or
    testing a subscription. It proves one only where a call of ours explains it: anyone may send an
    old one again.
    """

    reading: Reading | None = None
    claim: Claim | None = None
    answers_us: bool = False


class Uninterpretable(ValueError):
    """An observation that cannot become events: a dead letter, with its reason and the detail."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
