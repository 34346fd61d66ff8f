"""The sandbox's listings: filters and pages, and what reading them told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

from handlers.jsontext import Json, JsonObject, Unreadable
from handlers.smartpay import values
from handlers.smartpay.sandbox.errors import bad_parameter
from handlers.smartpay.sandbox.shop import Invoice, Order, Shop, Told
from handlers.smartpay.sandbox.strictness import Strictness

Row: TypeAlias = Invoice | Order

_FILTERS = {
    "invoices": {"invoice_id", "order_id", "consumer_id", "payment_method"},
    "orders": {"order_id", "custom_order_id", "consumer_id"},
    "webhooks": {"webhook_id", "topic", "url"},
}
_WINDOW = {"created_from": datetime.__ge__, "created_to": datetime.__le__}

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """One page of a listing."""

    number: int
    total_pages: int
    items: Sequence[_T]

    def content(self, write: Callable[[_T], JsonObject]) -> JsonObject:
        """Return the answer's content, each item written by ``write``."""
        rows: list[Json] = [write(item) for item in self.items]
        return {"page": self.number, "total_pages": self.total_pages, "result": rows}


class Listings:
    """The listings of a shop. ``told`` is every fact in a row that was read."""

    def __init__(self, shop: Shop, strictness: Strictness) -> None:
        self._shop = shop
        self._strictness = strictness
        self.told: set[Told] = set()

    def read(self, collection: str, parameters: Mapping[str, str], now: datetime) -> Page[Row]:
        """Return a page of the invoices or orders that pass all the filters.

        Raises:
            ApiError: a filter that is unknown, or a value that cannot be read.

        """
        rows = self._rows(collection, now - self._strictness.listing_lag)
        exact = dict(parameters)
        for name, compare in _WINDOW.items():
            if name in exact:
                limit = _date(name, exact.pop(name))
                rows = [row for row in rows if compare(row.created_at, limit)]
        page = self.page(collection, rows, lambda row: row.fields(), exact)
        for row in page.items:
            self.told.update(row.tells())
        return page

    def page(
        self,
        collection: str,
        items: Sequence[_T],
        fields: Callable[[_T], JsonObject],
        parameters: Mapping[str, str],
    ) -> Page[_T]:
        """Return a page of those ``items`` whose ``fields`` pass the filters of ``collection``.

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
        passing = [i for i in items if wanted.items() <= fields(i).items()]
        page_size = self._strictness.page_size
        start = (number - 1) * page_size
        total_pages = max(1, -(-len(passing) // page_size))
        return Page(number, total_pages, passing[start : start + page_size])

    def _rows(self, collection: str, moment: datetime) -> list[Row]:
        """Return what there was at a time, as it was then."""
        shop = self._shop
        rows: list[Row] = (
            [*shop.invoices.values()] if collection == "invoices" else [*shop.orders.values()]
        )
        listed = [row.as_of(moment) for row in rows if row.created_at <= moment]
        return listed[::-1] if self._strictness.newest_first else listed


def _date(name: str, text: str) -> datetime:
    try:
        moment = values.date(text)
    except Unreadable:
        moment = None
    if moment is None:
        raise bad_parameter(name)
    return moment
