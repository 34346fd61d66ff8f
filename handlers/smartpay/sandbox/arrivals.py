"""Orders and invoices that come in while somebody reads the listings, page by page."""

from datetime import datetime

from handlers.smartpay.sandbox.shop import Shop
from handlers.smartpay.sandbox.webhooks import Webhooks


class Arrivals:
    """Brings one order with one invoice after each of the next pages that are read."""

    def __init__(self, shop: Shop, webhooks: Webhooks) -> None:
        self._shop = shop
        self._webhooks = webhooks
        self._left = 0

    def expect(self, pages: int) -> None:
        """Let something arrive after each of the next ``pages``."""
        self._left += pages

    def after_a_page(self, now: datetime) -> None:
        """Take notice that a page was read."""
        if not self._left:
            return
        self._left -= 1
        order = self._shop.add_order(now)
        self._webhooks.announce("order/created", order, now)
        invoice = self._shop.add_invoice(order, now)
        self._webhooks.announce("invoice/created", invoice, now)
