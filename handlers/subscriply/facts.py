"""Which facts a Subscriply transaction asserts.

Source: Subscriply's API documentation. A transaction is a charge or a refund (a refund is a
transaction of its own); its state is success, declined or void, and may go from success to void
long after its creation. No currency is stated, and the time of a change of state is not either.
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
from handlers.subscriply.settings import SubscriplySettings

TRANSACTIONS = "transactions"
"""The topic of an observation that is one transaction."""

SUBSCRIPTIONS = "subscriptions"
"""The topic of a subscription that could not be watched: only ever a dead letter."""

_KINDS = frozenset({"charge", "refund"})
_ACTIONS: Mapping[str, str] = {"success": "succeeded", "declined": "declined", "void": "voided"}
_AT_CREATION = frozenset({"success", "declined"})
_DENIED: Mapping[str, frozenset[str]] = {
    "success": frozenset({"voided"}),
    "declined": frozenset({"voided", "succeeded"}),
}


def inbox_key(settings: SubscriplySettings, body: bytes) -> str:
    """Return the inbox key of a transaction, whatever its state. Never raises."""
    try:
        return _key(settings, resource_object(body)).inbox_key
    except Uninterpretable:
        return unknown_key(settings.provider, settings.name, sha256(body).hexdigest())


def interpret(settings: SubscriplySettings, observation: Observation) -> Interpretation:
    """Say which facts a transaction asserts.

    A transaction that is void asserts that alone: whether it had succeeded is not said.

    Raises:
        Uninterpretable: it is no transaction, or a field that matters cannot be read.

    """
    transaction = resource_object(observation.body)
    if observation.topic == SUBSCRIPTIONS:
        raise Uninterpretable(Reason.NO_ID, "the subscription has no id that it can be asked by")
    if observation.topic != TRANSACTIONS:
        msg = f"Subscriply has no collection {observation.topic!r:.40}"
        raise Uninterpretable(Reason.TOPIC_BEYOND_BODY, msg)
    resource = _key(settings, transaction)
    state = word(transaction, "state")
    created_at = moment(transaction, "created_at")
    reading = Reading(
        resource=resource,
        facts=(
            Fact(
                resource,
                action=_ACTIONS.get(state, "updated"),
                occurred_at=created_at if state in _AT_CREATION else None,
                discriminator=None if state in _ACTIONS else state,
            ),
        ),
        amount=minor_amount(transaction, "amount_in_cents", settings.currency),
        related=related(
            subscription=transaction.get("subscription_id"),
            user=transaction.get("user_id"),
            invoice=transaction.get("invoice_id") or _invoice(transaction).get("id"),
        ),
        details=transaction,
        denied=_DENIED.get(state, frozenset()),
        created_at=created_at,
    )
    return Interpretation(reading)


def _key(settings: SubscriplySettings, transaction: JsonObject) -> ResourceKey:
    transaction_id = resource_id(transaction)
    kind = transaction.get("transaction_type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise bad_field("transaction_type", kind, "charge or refund is expected")
    return ResourceKey(settings.provider, settings.name, kind, transaction_id)


def _invoice(transaction: JsonObject) -> JsonObject:
    invoice = transaction.get("invoice")
    return invoice if isinstance(invoice, dict) else {}
