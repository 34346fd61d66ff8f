"""Which facts a Voucherry transfer or transfer request asserts.

Source: Voucherry's API documentation. The status is ``waiting_for_confirmation`` or ``confirmed``;
when it was confirmed is not said.
"""

from collections.abc import Mapping
from hashlib import sha256

from handlers.fact import Fact, Interpretation, Reading, Uninterpretable
from handlers.fields import (
    bad_field,
    minor_amount,
    moment,
    related,
    resource_id,
    resource_object,
    word,
)
from handlers.jsontext import JsonObject
from handlers.letters import Reason
from handlers.observation import Observation
from handlers.resource import ResourceKey, unknown_key
from handlers.voucherry.routes import RESOURCE_KINDS, is_url_of
from handlers.voucherry.settings import VoucherrySettings

WAITING = "waiting_for_confirmation"
CONFIRMED = "confirmed"

_DENIED: Mapping[str, frozenset[str]] = {WAITING: frozenset({"confirmed"})}


def inbox_key(settings: VoucherrySettings, topic: str, body: bytes) -> str:
    """Return the inbox key of a resource from the collection ``topic``. Never raises."""
    try:
        return _key(settings, topic, resource_object(body)).inbox_key
    except Uninterpretable:
        return unknown_key(settings.provider, settings.name, sha256(body).hexdigest())


def interpret(settings: VoucherrySettings, observation: Observation) -> Interpretation:
    """Say which facts a transfer or transfer request asserts.

    Raises:
        Uninterpretable: it is no such resource, or a field that matters cannot be read.

    """
    transfer = resource_object(observation.body)
    resource = _key(settings, observation.topic, transfer)
    status = word(transfer, "status")
    facts = [Fact(resource, "requested", occurred_at=moment(transfer, "created_at"))]
    if status == CONFIRMED:
        facts.append(Fact(resource, "confirmed"))
    elif status != WAITING:
        facts.append(Fact(resource, "updated", discriminator=status))
    reading = Reading(
        resource=resource,
        facts=tuple(facts),
        amount=minor_amount(transfer, "cherries_amount", "cherries"),
        related=related(invite=transfer.get("invite_id")),
        details=transfer,
        url=_url(settings, observation.topic, resource.id, transfer),
        denied=_DENIED.get(status, frozenset()),
    )
    return Interpretation(reading)


def _key(settings: VoucherrySettings, topic: str, transfer: JsonObject) -> ResourceKey:
    if topic not in RESOURCE_KINDS:
        msg = f"Voucherry has no collection {topic!r:.40}"
        raise Uninterpretable(Reason.TOPIC_BEYOND_BODY, msg)
    found = resource_id(transfer)
    return ResourceKey(settings.provider, settings.name, RESOURCE_KINDS[topic], found)


def _url(
    settings: VoucherrySettings, collection: str, found: str, transfer: JsonObject
) -> str | None:
    """Return the resource's URL for consumers, who must never be sent to ``/confirm``."""
    url = transfer.get("url")
    if url is None:
        return None
    try:
        if isinstance(url, str) and is_url_of(url, settings.base_url, collection, found):
            return url
    except ValueError as error:
        raise bad_field("id", found, str(error)) from None
    raise bad_field("url", url, "the resource's own URL is expected")
