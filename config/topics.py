"""The names of the topics, and which events go to which."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import Field, model_validator

from config.group import Group
from config.problems import Mistake, refuse
from config.types import AccountName, TopicName

INBOX = "payevents.inbox"
LEDGER = "payevents.ledger"
WATCH_REQUESTS = "payevents.watch-requests"
WATCHLIST = "payevents.watchlist"
DEAD_LETTERS = "payevents.dead-letters"

_OWN = frozenset({INBOX, LEDGER, WATCH_REQUESTS, WATCHLIST, DEAD_LETTERS})


class Route(Group):
    """Which events go to a topic: those that match every key given."""

    provider: str | None = Field(default=None, description="Only this provider's events.")
    account: AccountName | None = Field(default=None, description="Only this account's events.")
    kind: str | None = Field(
        default=None,
        description="Only this kind of resource, such as `invoice` or `refund`.",
    )
    test: bool = Field(
        default=False,
        description="Test events (true) or live ones (false); no route takes both, so that a test"
        " never turns up among live events by oversight.",
    )
    topic: TopicName = Field(description="The topic, without `kafka.topic_prefix`.")

    @model_validator(mode="before")
    @classmethod
    def _never_by_action(cls, written: object) -> object:
        if isinstance(written, Mapping) and "action" in written:
            refuse(
                [
                    Mistake(
                        "action",
                        "events cannot be routed by action: all events of one resource must stay"
                        " in one topic, or their order would be lost",
                        "leave action out; consumers can filter on the header ce_type",
                    )
                ]
            )
        return written

    def mistakes(self) -> Iterable[Mistake]:
        """A route into one of the service's own topics."""
        if self.topic in _OWN:
            what = f"{self.topic!r} is one of the service's own topics"
            yield Mistake("topic", what, "choose another name")

    def matches(self, *, provider: str, account: str, kind: str, test: bool) -> bool:
        """Tell whether events of such a resource take this route."""
        return (
            self.test == test
            and self.provider in {None, provider}
            and self.account in {None, account}
            and self.kind in {None, kind}
        )


DEFAULT_ROUTES = (
    Route(test=True, topic="payments.test"),
    Route(kind="invoice", topic="payments.invoices"),
    Route(kind="order", topic="payments.orders"),
    Route(kind="charge", topic="payments.transactions"),
    Route(kind="refund", topic="payments.transactions"),
    Route(kind="transfer", topic="payments.transfers"),
    Route(kind="transfer_request", topic="payments.transfers"),
)
"""Where events go that no configured route takes."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic's full name, and the routes, whose topics are full names too."""

    inbox: str
    ledger: str
    watch_requests: str
    watchlist: str
    dead_letters: str
    routes: tuple[Route, ...]

    @classmethod
    def named(cls, prefix: str, routes: tuple[Route, ...]) -> Self:
        """Return the topics with `prefix` before each; `routes` are tried before the defaults."""
        return cls(
            inbox=prefix + INBOX,
            ledger=prefix + LEDGER,
            watch_requests=prefix + WATCH_REQUESTS,
            watchlist=prefix + WATCHLIST,
            dead_letters=prefix + DEAD_LETTERS,
            routes=tuple(
                route.model_copy(update={"topic": prefix + route.topic})
                for route in (*routes, *DEFAULT_ROUTES)
            ),
        )

    @property
    def own(self) -> tuple[str, ...]:
        """The topics that are the service's own: no events go there."""
        return (self.inbox, self.ledger, self.watch_requests, self.watchlist, self.dead_letters)

    @property
    def sharded(self) -> tuple[str, ...]:
        """The inputs and tables of shards: they have as many partitions as there are shards."""
        return (self.inbox, self.ledger, self.watch_requests, self.watchlist)

    @property
    def events(self) -> tuple[str, ...]:
        """The topics that events go to, each once, in the order of the routes."""
        return tuple(dict.fromkeys(route.topic for route in self.routes))

    def for_event(self, *, provider: str, account: str, kind: str, test: bool) -> str | None:
        """Return the topic for the events of a resource: the first route's that matches.

        None means that no route takes them, which only a kind unknown to the defaults can meet.
        """
        for route in self.routes:
            if route.matches(provider=provider, account=account, kind=kind, test=test):
                return route.topic
        return None
