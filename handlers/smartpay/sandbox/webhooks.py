"""The sandbox's webhooks: subscribing topics, and announcing what happened to who subscribed."""

from collections.abc import Callable
from datetime import datetime

from handlers.exchange import Response
from handlers.jsontext import JsonObject, compact
from handlers.sandbox import Callback, Notification
from handlers.smartpay.sandbox.access import Access
from handlers.smartpay.sandbox.delivery import Deliveries, Webhook
from handlers.smartpay.sandbox.errors import NO_SUCH_TOPIC, NO_SUCH_WEBHOOK, TOPIC_TAKEN, ApiError
from handlers.smartpay.sandbox.shop import Invoice, Order, as_texts
from handlers.smartpay.sandbox.strictness import Strictness
from handlers.smartpay.signature import SIGNATURE_HEADER, TOPIC_HEADER, sign
from handlers.smartpay.topics import REGISTRATION, TOPICS

_OK = 200


class Webhooks:
    """The subscriptions of the one merchant, each topic at most once."""

    def __init__(self, deliveries: Deliveries, access: Access, strictness: Strictness) -> None:
        self.deliveries = deliveries
        self.by_id: dict[str, Webhook] = {}
        self._access = access
        self._strictness = strictness
        self._number = 0
        self._callbacks = 0

    def subscribe(self, topic: str, url: str) -> Webhook:
        """Subscribe a topic without asking the URL; an earlier subscription of it is replaced."""
        earlier = self.of_topic(topic)
        if earlier is not None:
            self.delete(earlier.id)
        self._number += 1
        webhook = Webhook(f"webhook-{self._number}", topic, url)
        self.by_id[webhook.id] = webhook
        return webhook

    def of_topic(self, topic: str) -> Webhook | None:
        """Return the subscription of a topic, None if there is none."""
        return next((w for w in self.by_id.values() if w.topic == topic), None)

    def get(self, webhook_id: str) -> Webhook:
        """Return a webhook.

        Raises:
            ApiError: there is no such webhook.

        """
        if webhook_id not in self.by_id:
            raise ApiError(NO_SUCH_WEBHOOK)
        return self.by_id[webhook_id]

    def delete(self, webhook_id: str) -> None:
        """Delete a webhook with what is queued for it.

        Raises:
            ApiError: there is no such webhook.

        """
        webhook = self.get(webhook_id)
        webhook.is_enabled = False
        self.deliveries.drop(webhook)
        del self.by_id[webhook_id]

    def check_free(self, topic: str) -> None:
        """Check that a topic exists and is not subscribed.

        Raises:
            ApiError: it does not, or it is.

        """
        if topic not in TOPICS:
            raise ApiError(NO_SUCH_TOPIC)
        if self.of_topic(topic) is not None:
            raise ApiError(TOPIC_TAKEN)

    def move(self, webhook: Webhook, url: str) -> None:
        """Point a webhook elsewhere, which may enable it again."""
        webhook.url = url
        if self._strictness.modify_enables:
            webhook.undeliverable, webhook.is_enabled = 0, True

    def call_back(
        self,
        topic: str,
        url: str,
        accept: Callable[[], Response],
        reject: Callable[[], Response],
    ) -> Callback:
        """Call ``url`` with ``webhook/created``; only its exact 200 makes ``accept`` the answer."""
        self._callbacks += 1
        body = compact({"data": {"topic": topic, "url": url}})
        headers = _headers(REGISTRATION, body, self._access.api_key)
        within = self._strictness.answer_within
        notification = Notification(f"callback-{self._callbacks}", url, headers, body, within)
        return Callback(notification, lambda status: accept() if status == _OK else reject())

    def announce(self, topic: str, subject: Invoice | Order, now: datetime) -> str | None:
        """Notify whoever subscribed the topic; return the notification's id, None if nobody did."""
        return self.send(topic, body_of(subject), subject, now)

    def send(
        self, topic: str, body: bytes, shown: Invoice | Order | None, now: datetime
    ) -> str | None:
        """Send a signed body, which shows the facts of ``shown``, to whoever subscribed."""
        webhook = self.of_topic(topic)
        if webhook is None:
            return None
        tells = frozenset(() if shown is None else shown.tells())
        headers = _headers(topic, body, self._access.api_key)
        return self.deliveries.add(webhook, headers, body, tells, now)

    def forge(self, topic: str, body: bytes, now: datetime) -> str | None:
        """Send a body that is signed with a stranger's key."""
        webhook = self.of_topic(topic)
        if webhook is None:
            return None
        headers = _headers(topic, body, "a key of nobody")
        return self.deliveries.add_forged(webhook, headers, body, now)

    def shown(self, webhook: Webhook) -> JsonObject:
        """Return a webhook as ``get_webhooks`` documents it: nothing says whether it is enabled."""
        return {"webhook_id": webhook.id, "topic": webhook.topic, "url": webhook.url}


def body_of(subject: Invoice | Order) -> bytes:
    """Return a notification's body: the documented fields as texts, below ``data``."""
    order = subject.order if isinstance(subject, Invoice) else subject
    return compact({"data": as_texts({**subject.fields(), "order_custom_id": order.custom_id})})


def _headers(topic: str, body: bytes, key: str) -> dict[str, str]:
    return {
        "content-type": "application/json",
        TOPIC_HEADER: topic,
        SIGNATURE_HEADER: sign(body, key.encode()),
    }
