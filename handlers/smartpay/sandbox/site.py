"""The sandbox as a whole: one merchant, served in both versions of the API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import SecretStr

from handlers.exchange import Request, Response
from handlers.fact import Fact
from handlers.resource import ResourceKey
from handlers.sandbox import Callback, Control, Notification, Step
from handlers.smartpay.facts import PROVIDER
from handlers.smartpay.sandbox import v1, v2
from handlers.smartpay.sandbox.access import IFRAME_KEY, Access
from handlers.smartpay.sandbox.api import Merchant
from handlers.smartpay.sandbox.arrivals import Arrivals
from handlers.smartpay.sandbox.controls import MerchantControls
from handlers.smartpay.sandbox.delivery import Deliveries
from handlers.smartpay.sandbox.listings import Listings
from handlers.smartpay.sandbox.shop import Shop
from handlers.smartpay.sandbox.story import STORY
from handlers.smartpay.sandbox.strictness import Strictness
from handlers.smartpay.sandbox.troubles import Troubles
from handlers.smartpay.sandbox.webhooks import Webhooks
from handlers.smartpay.settings import SmartPaySettings
from handlers.smartpay.topics import TOPICS


class SmartPaySandbox:
    """A stand-in for SmartPay with a single merchant."""

    def __init__(self, strictness: Strictness | None = None) -> None:
        strictness = strictness or Strictness()
        shop, access = Shop(), Access(strictness)
        self._deliveries = Deliveries(strictness)
        webhooks = Webhooks(self._deliveries, access, strictness)
        self._merchant = Merchant(
            access, shop, Listings(shop, strictness), webhooks, Arrivals(shop, webhooks)
        )
        self._controls = {
            **MerchantControls(self._merchant).by_name(),
            **Troubles(self._merchant).by_name(),
        }

    def handle(self, request: Request, now: datetime) -> Response | Callback:
        """Answer one request; what belongs to neither version is 404."""
        if request.path.startswith(v1.PREFIX):
            return v1.answer(self._merchant, request, now)
        if request.path.startswith(v2.PREFIX):
            return v2.answer(self._merchant, request, now)
        return Response.json(404, {"errors": {"404": "Not found"}})

    def due(self, now: datetime) -> Sequence[Notification]:
        """Return the notifications to be delivered now, each once until it is answered."""
        return self._deliveries.due(now)

    def answered(self, notification_id: str, status: int | None, now: datetime) -> None:
        """Take what a notification got; anything but 200 is undeliverable and tried again."""
        self._deliveries.answered(notification_id, status, now)

    @property
    def controls(self) -> Mapping[str, Control]:
        """Return what can be caused here, by name."""
        return self._controls

    @property
    def story(self) -> Sequence[Step]:
        """Return the seconds that show every kind of event."""
        return STORY

    def account(self, name: str, base_url: str) -> SmartPaySettings:
        """Return the settings of the merchant, with the key that holds now.

        The budget is one that suits a sandbox.
        """
        return SmartPaySettings(
            name=name,
            base_url=base_url,
            api_key=SecretStr(self._merchant.access.api_key),
            iframe_key=SecretStr(IFRAME_KEY),
            calls=100,
            calls_per="1m",
            backoff_min="1s",
            backoff_max="5m",
        )

    def subscribe(self, url: str) -> None:
        """Send all five topics to ``url``, without calling it first."""
        for topic in TOPICS:
            self._merchant.webhooks.subscribe(topic, url)

    def caused(self, account: str) -> frozenset[UUID]:
        """Return the ids of the facts in notifications that got their 200 and in rows read."""
        told = self._deliveries.told | self._merchant.listings.told
        return frozenset(
            Fact(
                ResourceKey(PROVIDER, account, fact.kind, fact.id, fact.is_test),
                fact.action,
                discriminator=fact.discriminator,
            ).id
            for fact in told
        )
