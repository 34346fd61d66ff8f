"""The poller and SmartPay's listings in miniature: watches have a schedule, pace and memory."""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from handlers.exchange import Request, Response
from handlers.jsontext import Json, JsonObject
from handlers.provider import Discovery, Polled, Session, Watch
from handlers.smartpay.handler import SmartPayHandler
from handlers.smartpay.values import date, date_text
from tests.unit.smartpay.host import converse


@dataclass
class Invoice:
    """An invoice, when it was paid, and when cancelled.

    ``created_at`` is by the provider's clock, the rest by ours.

    The listing shows each change ``lag`` after it happened.
    """

    id: str
    happened_at: datetime
    created_at: datetime
    paid_at: datetime | None = None
    lag: timedelta = timedelta()
    cancelled_at: datetime | None = None

    def row(self, now: datetime) -> JsonObject:
        """Return what the listing shows of it."""
        paid = (
            date_text(self.paid_at) if self.paid_at and self.is_shown(self.paid_at, now) else None
        )
        is_cancelled = self.cancelled_at is not None and self.is_shown(self.cancelled_at, now)
        enabled = "0" if is_cancelled else "1"
        return {"invoice_id": self.id, "amount": "1.00", "is_enabled": enabled, "date_paid": paid}

    def is_shown(self, at: datetime, now: datetime) -> bool:
        """Tell whether the listing shows what happened at ``at``."""
        return at + self.lag <= now


@dataclass
class Visit:
    """When a watch was visited, and what it came to."""

    at: datetime
    watch: Watch
    polled: Polled
    requests: int


@dataclass
class Machine:
    """Visits what is due, like the poller; each visit takes no time.

    ``invoices`` are in the order of ``created_at``. ``jitter`` returns what each pause is
    multiplied by.
    """

    handler: SmartPayHandler
    now: datetime
    invoices: list[Invoice] = field(default_factory=list)
    page_size: int = 100
    newest_first: bool = False
    jitter: Callable[[], float] = lambda: 1.0
    visits: list[Visit] = field(default_factory=list)
    memories: dict[Watch, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._due: list[tuple[datetime, int, Watch]] = []
        self._order = count()
        self._requests = 0
        self._session = Session(lambda: self.now)
        for watch in self.handler.watches():
            self.discover(watch)

    def discover(self, watch: Watch) -> None:
        """Have a watch visited from now on, unless it is there already."""
        if watch not in self.memories:
            self.memories[watch] = b""
            self._put(self.now, watch)

    def run(self, until: datetime) -> None:
        """Make all visits that are due before ``until``."""
        while self._due and self._due[0][0] < until:
            at, _, watch = heapq.heappop(self._due)
            self.now = max(self.now, at)
            self.visit(watch)
        self.now = until

    def visit(self, watch: Watch) -> Polled:
        """Make one visit."""
        self._requests = 0
        talk = self.handler.poll(watch, timedelta(), self._session, self.memories[watch])
        polled = converse(talk, self.answer)
        self.visits.append(Visit(self.now, watch, polled, self._requests))
        for found in polled.discovered:
            assert isinstance(found, Discovery)
            self.discover(found.watch)
        if polled.ending is not None:
            del self.memories[watch]
            return polled
        if polled.memory is not None:
            self.memories[watch] = polled.memory
        assert polled.pace is not None
        pause = self.handler.account.poll_interval * polled.pace * self.jitter()
        self._put(self.now + pause, watch)
        return polled

    def answer(self, request: Request) -> Response:
        """Answer as SmartPay does: a token, or a page of a listing."""
        self._requests += 1
        if request.path.endswith("authenticate"):
            return Response.json(200, {"result": {"token": "t"}})
        asked = request.parameters()
        rows = self._rows(asked) if request.path.endswith("invoices") else []
        page, size = int(asked["page"]), self.page_size
        return Response.json(
            200,
            {
                "total_pages": max(1, -(-len(rows) // size)),
                "result": rows[(page - 1) * size : page * size],
            },
        )

    def requests(self) -> int:
        """Return how many requests all visits made."""
        return sum(visit.requests for visit in self.visits)

    def showing(self, text: str) -> Iterator[Visit]:
        """Yield the visits of which a row holds ``text``."""
        for visit in self.visits:
            if any(text.encode() in row.body for row in visit.polled.resources):
                yield visit

    def _rows(self, asked: dict[str, str]) -> list[Json]:
        since, until = date(asked["created_from"]), date(asked["created_to"])
        assert since is not None
        assert until is not None
        first = bisect_left(self.invoices, since, key=_created_at)
        last = bisect_right(self.invoices, until, key=_created_at)
        shown = [
            invoice.row(self.now)
            for invoice in self.invoices[first:last]
            if invoice.happened_at + invoice.lag <= self.now
        ]
        return [*reversed(shown)] if self.newest_first else [*shown]

    def _put(self, at: datetime, watch: Watch) -> None:
        heapq.heappush(self._due, (at, next(self._order), watch))


def _created_at(invoice: Invoice) -> datetime:
    return invoice.created_at
