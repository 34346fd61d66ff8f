"""The sandbox's listings: filters and pages, and what reading them told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from handlers.jsontext import JsonObject, Unreadable
from handlers.smartpay import values
from handlers.smartpay.sandbox.errors import bad_parameter
from handlers.smartpay.sandbox.shop import Invoice, Order, Shop, Told

Row: TypeAlias = Invoice | Order

_FILTERS = {
    "invoices": {"invoice_id", "order_id", "consumer_id", "payment_method"},
    "orders": {"order_id", "custom_order_id", "consumer_id"},
    "webhooks": {"webhook_id", "topic", "url"},
}
_WINDOW = {"created_from": datetime.__ge__, "created_to": datetime.__le__}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, as both versions answer it."""

    number: int
    total_pages: int
    rows: Sequence[JsonObject]

    def content(self, write: Callable[[JsonObject], JsonObject]) -> JsonObject:
        """Return the answer's content, each row written by ``write``."""
        rows = [write(row) for row in self.rows]
        return {"page": self.number, "total_pages": self.total_pages, "result": [*rows]}


class Listings:
    """The listings of a shop. ``told`` is every fact in a row that was read."""

    def __init__(self, shop: Shop, page_size: int) -> None:
        self._shop = shop
        self._page_size = page_size
        self.told: set[Told] = set()

    def read(self, collection: str, parameters: Mapping[str, str]) -> Page:
        """Return a page of the invoices or orders that pass all the filters.

        Raises:
            ApiError: a filter that is unknown, or a value that cannot be read.

        """
        rows: list[Row] = list(
            self._shop.invoices.values()
            if collection == "invoices"
            else self._shop.orders.values()
        )
        exact = {name: value for name, value in parameters.items() if name not in _WINDOW}
        for name, compare in _WINDOW.items():
            if name in parameters:
                limit = _date(name, parameters[name])
                rows = [row for row in rows if compare(row.created_at, limit)]
        by_id = {str(number): row for number, row in enumerate(rows)}
        fields = [{**row.fields(), "#": number} for number, row in by_id.items()]
        page = self.page(collection, fields, exact)
        for row in page.rows:
            self.told.update(by_id[str(row.pop("#"))].tells())
        return page

    def page(
        self, collection: str, rows: Sequence[JsonObject], parameters: Mapping[str, str]
    ) -> Page:
        """Return a page of those of ``rows`` that pass the filters of ``collection``.

        Raises:
            ApiError: a filter that is unknown, or a page that is no number.

        """
        wanted = dict(parameters)
        text = wanted.pop("page", "1")
        number = int(text) if text.isdecimal() else 0
        if number < 1:
            raise bad_parameter("page")
        for name in wanted:
            if name not in _FILTERS[collection]:
                raise bad_parameter(name)
        passing = [r for r in rows if all(r[name] == value for name, value in wanted.items())]
        start = (number - 1) * self._page_size
        total_pages = max(1, -(-len(passing) // self._page_size))
        return Page(number, total_pages, passing[start : start + self._page_size])


def _date(name: str, text: str) -> datetime:
    try:
        moment = values.date(text)
    except Unreadable:
        moment = None
    if moment is None:
        raise bad_parameter(name)
    return moment
