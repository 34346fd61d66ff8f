"""What the sandbox's API does, whichever version asks for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from handlers.exchange import Response
from handlers.jsontext import JsonObject
from handlers.sandbox import Callback
from handlers.smartpay.sandbox.access import Access
from handlers.smartpay.sandbox.arrivals import Arrivals
from handlers.smartpay.sandbox.delivery import Webhook
from handlers.smartpay.sandbox.errors import NOT_ANSWERED, ApiError, Failing, bad_parameter
from handlers.smartpay.sandbox.listings import Listings, Page, Row
from handlers.smartpay.sandbox.shop import Shop
from handlers.smartpay.sandbox.webhooks import Webhooks

Write = Callable[[JsonObject], Response]
"""Writes the content of an answer the way of a version."""

Refuse = Callable[[Failing], Response]
"""Writes an error the way of a version."""


@dataclass(frozen=True, slots=True)
class Merchant:
    """Everything there is in the sandbox."""

    access: Access
    shop: Shop
    listings: Listings
    webhooks: Webhooks
    arrivals: Arrivals

    def list_rows(self, collection: str, parameters: Mapping[str, str], now: datetime) -> Page[Row]:
        """Return a page of the invoices or orders; what comes in meanwhile is on no page yet.

        Raises:
            ApiError: a filter that is unknown, or a value that cannot be read.

        """
        page = self.listings.read(collection, parameters, now)
        self.arrivals.after_a_page(now)
        return page

    def list_webhooks(self, parameters: Mapping[str, str]) -> Page[Webhook]:
        """Return a page of the webhooks.

        Raises:
            ApiError: a filter that is unknown, or a page that is no number.

        """
        items = list(self.webhooks.by_id.values())
        return self.listings.page("webhooks", items, self.webhooks.shown, parameters)

    def create_webhook(
        self, parameters: Mapping[str, str], write: Write, refuse: Refuse
    ) -> Callback:
        """Subscribe a topic, if its URL answers exactly 200 when called.

        Raises:
            ApiError: a missing parameter, no such topic, or one that is subscribed.

        """
        topic, url = required(parameters, "topic"), required(parameters, "url")
        self.webhooks.check_free(topic)

        def accept() -> Response:
            try:
                # Another may have been subscribed while the URL was called.
                self.webhooks.check_free(topic)
            except ApiError as error:
                return refuse(error.failing)
            webhook = self.webhooks.subscribe(topic, url)
            return write({"result": {"webhook_id": webhook.id}})

        return self.webhooks.call_back(topic, url, accept, lambda: refuse(NOT_ANSWERED))

    def modify_webhook(
        self, webhook_id: str, parameters: Mapping[str, str], write: Write, refuse: Refuse
    ) -> Callback:
        """Point a webhook elsewhere, if the URL answers exactly 200 when called.

        Raises:
            ApiError: no such webhook, or no URL.

        """
        webhook, url = self.webhooks.get(webhook_id), required(parameters, "url")

        def accept() -> Response:
            try:
                self.webhooks.get(webhook_id)
            except ApiError as error:
                return refuse(error.failing)
            self.webhooks.move(webhook, url)
            return write({"result": {"webhook_id": webhook.id}})

        return self.webhooks.call_back(webhook.topic, url, accept, lambda: refuse(NOT_ANSWERED))

    def delete_webhook(self, webhook_id: str) -> JsonObject:
        """Delete a webhook.

        Raises:
            ApiError: no such webhook.

        """
        self.webhooks.delete(webhook_id)
        return {"result": {"status": "success"}}

    def test_webhook(self, webhook_id: str, now: datetime) -> JsonObject:
        """Send a notification about an order or invoice that is a dummy.

        Raises:
            ApiError: no such webhook.

        """
        webhook = self.webhooks.get(webhook_id)
        subject = self.shop.test_subject(webhook.topic, now)
        self.webhooks.announce(webhook.topic, subject, now)
        return {"result": {"status": "success"}}


def required(parameters: Mapping[str, str], name: str) -> str:
    """Return a parameter.

    Raises:
        ApiError: it is missing or empty.

    """
    if not parameters.get(name):
        raise bad_parameter(name)
    return parameters[name]
