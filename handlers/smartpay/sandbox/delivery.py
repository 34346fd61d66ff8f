"""How the sandbox delivers notifications, and gives up on a webhook that does not take them.

Source: SmartPay's API documents, "Webhooks": anything but 200 OK is undeliverable, and after 20
undeliverable notifications the webhook is disabled and its queue lost. Whether the 20 are tries of
one notification or failures in all is open: see :class:`Twenty`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from handlers.sandbox import Notification
from handlers.smartpay.sandbox.shop import Told
from handlers.smartpay.sandbox.strictness import Strictness, Twenty

_OK = 200
_ONE_IN = 8
"""How many notifications are sent for one that is sent twice, where there is disorder."""


@dataclass(slots=True)
class Webhook:
    """A subscription of one topic. ``undeliverable`` counts the failures since it was enabled."""

    id: str
    topic: str
    url: str
    undeliverable: int = 0
    delivered: int = 0
    is_enabled: bool = True


@dataclass(slots=True)
class _Delivery:
    notification: Notification
    webhook: Webhook
    tells: frozenset[Told]
    due_at: datetime
    is_genuine: bool = True
    is_under_way: bool = False
    failures: int = 0


class Deliveries:
    """The queue of all webhooks. ``told`` is every fact in a notification that got its 200."""

    def __init__(self, strictness: Strictness) -> None:
        self._strictness = strictness
        self._queue: dict[str, _Delivery] = {}
        self._last: _Delivery | None = None
        self._number = 0
        self._to_lose = 0
        # A seed, so that the same acts give the same notifications at the same times.
        seed = strictness.disorder
        self._disorder = None if seed is None else Random(seed)  # noqa: S311 - nothing is secret
        self.told: set[Told] = set()

    def add(
        self,
        webhook: Webhook,
        headers: Mapping[str, str],
        body: bytes,
        tells: frozenset[Told],
        now: datetime,
    ) -> str | None:
        """Queue a notification and return its id; a disabled webhook gets none."""
        if not webhook.is_enabled:
            return None
        if self._to_lose:
            self._to_lose -= 1
            return None
        within = self._strictness.answer_within
        notification = Notification(self._next_id(), webhook.url, headers, body, within)
        due_at = now + self._lateness()
        self._last = delivery = _Delivery(notification, webhook, tells, due_at)
        self._queue[notification.id] = delivery
        if self._disorder is not None and not self._disorder.randrange(_ONE_IN):
            self.repeat_last(now)
        return notification.id

    def lose_next(self, count: int) -> None:
        """Lose the next ``count`` notifications before they are ever sent."""
        self._to_lose += count

    def add_forged(
        self, webhook: Webhook, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> str:
        """Queue what another than SmartPay sends: tried once, and counted for no webhook."""
        notification = Notification(self._next_id(), webhook.url, headers, body)
        self._queue[notification.id] = _Delivery(
            notification, webhook, frozenset(), now, is_genuine=False
        )
        return notification.id

    def repeat_last(self, now: datetime) -> str | None:
        """Queue the last notification once more and return the new id; None before any."""
        if self._last is None or not self._last.webhook.is_enabled:
            return None
        notification = replace(self._last.notification, id=self._next_id())
        due_at = now + self._lateness()
        self._queue[notification.id] = _Delivery(
            notification, self._last.webhook, self._last.tells, due_at
        )
        return notification.id

    def due(self, now: datetime) -> Sequence[Notification]:
        """Return what is to be delivered now, each once until it is answered."""
        ready = [d for d in self._queue.values() if not d.is_under_way and d.due_at <= now]
        for delivery in ready:
            delivery.is_under_way = True
        return [replace(each.notification, url=each.webhook.url) for each in ready]

    def answered(self, notification_id: str, status: int | None, now: datetime) -> None:
        """Take what a notification got; one that is no longer queued is passed over."""
        delivery = self._queue.get(notification_id)
        if delivery is None:
            return
        webhook = delivery.webhook
        if status == _OK and delivery.is_genuine:
            self.told |= delivery.tells
            webhook.delivered += 1
        if status == _OK or not (delivery.is_genuine and webhook.is_enabled):
            del self._queue[notification_id]
            return
        delivery.is_under_way = False
        delivery.due_at = now + self._delay(delivery.failures)
        delivery.failures += 1
        webhook.undeliverable += 1
        in_all = self._strictness.twenty is Twenty.IN_ALL
        counted = webhook.undeliverable if in_all else delivery.failures
        if counted >= self._strictness.undeliverable_most:
            self.disable(webhook)

    def disable(self, webhook: Webhook) -> None:
        """Disable a webhook without a word, and lose what is queued for it."""
        webhook.is_enabled = False
        self.drop(webhook)

    def drop(self, webhook: Webhook) -> None:
        """Lose what is queued for a webhook; what is under way still arrives."""
        for id, delivery in list(self._queue.items()):  # noqa: A001 - the protocol's word
            if delivery.webhook is webhook and not delivery.is_under_way:
                del self._queue[id]

    def queued(self, webhook: Webhook) -> int:
        """Return how many notifications wait for a webhook."""
        return sum(delivery.webhook is webhook for delivery in self._queue.values())

    def _delay(self, failures: int) -> timedelta:
        longest = self._strictness.longest_retry
        return min(longest, self._strictness.first_retry * (1 << min(failures, 20)))

    def _lateness(self) -> timedelta:
        if self._disorder is None:
            return timedelta()
        return self._strictness.disorder_within * self._disorder.random()

    def _next_id(self) -> str:
        self._number += 1
        return f"notification-{self._number}"
