"""The webhooks whose way is timed: each about an invoice of its own, so that its events are known.

Every other invoice is paid when it is first seen: two webhooks give three events.
"""

from dataclasses import dataclass
from random import Random

from handlers.fact import Fact
from handlers.resource import ResourceKey
from tests.bench.route.observations import ACCOUNT, body_of, invoice_fields
from tests.support.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Sent:
    """Webhooks in the order in which they are sent.

    ``events`` has the key of each event by the event's id, and ``numbers`` the webhook's place by
    that key.
    """

    webhooks: tuple[Webhook, ...]
    keys: tuple[bytes, ...]
    events: dict[str, str]
    numbers: dict[str, int]


def webhooks(count: int, seed: int) -> Sent:
    """Return ``count`` webhooks; other seeds have other invoices."""
    random = Random(seed)
    made, keys = [], []
    events: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for number in range(count):
        is_paid = number % 2 == 1
        fields = invoice_fields(random)
        fields["invoice_id"] = f"{fields['invoice_id']}-{seed}-{number}"
        resource = ResourceKey("smartpay", ACCOUNT, "invoice", fields["invoice_id"])
        actions = ("created", "paid") if is_paid else ("created",)
        body = body_of(random, fields, is_paid=is_paid)
        made.append(Webhook(f"invoice/{actions[-1]}", body))
        keys.append(resource.inbox_key.encode())
        numbers[resource.partition_key] = number
        for action in actions:
            events[str(Fact(resource, action).id)] = resource.partition_key
    return Sent(tuple(made), tuple(keys), events, numbers)
