"""The names of topics, and the way of events to them."""

import pytest

from config.kafka import KafkaSettings
from config.settings import Settings
from config.topics import Route, Topics
from receiver.kafka.topics import wanted_topics


def _topic(
    topics: Topics, kind: str, *, account: str = "shop", provider: str = "p", test: bool = False
) -> str | None:
    return topics.for_event(provider=provider, account=account, kind=kind, test=test)


@pytest.mark.parametrize(
    ("kind", "topic"),
    [
        ("invoice", "payments.invoices"),
        ("order", "payments.orders"),
        ("charge", "payments.transactions"),
        ("refund", "payments.transactions"),
        ("transfer", "payments.transfers"),
        ("transfer_request", "payments.transfers"),
    ],
)
def test_default_routes(kind: str, topic: str) -> None:
    """Every kind has its documented topic, and test events have one of their own."""
    assert _topic(Settings().topics, kind) == topic
    assert _topic(Settings().topics, kind, test=True) == "payments.test"


def test_a_kind_without_a_route() -> None:
    """A live event of an unknown kind has no topic; a test event always has."""
    assert _topic(Settings().topics, "payout") is None
    assert _topic(Settings().topics, "payout", test=True) == "payments.test"


def test_configured_routes_come_first() -> None:
    """The first configured route that matches wins, and the defaults take the rest."""
    topics = Settings(
        routes=(
            Route(account="shop", kind="invoice", topic="shop.invoices"),
            Route(provider="p", topic="p.rest"),
        )
    ).topics
    assert _topic(topics, "invoice") == "shop.invoices"
    assert _topic(topics, "order") == "p.rest"
    assert _topic(topics, "order", provider="q") == "payments.orders"


def test_a_route_takes_test_events_only_when_it_says_so() -> None:
    """A route without `test` leaves test events to the topic for tests."""
    topics = Settings(
        routes=(Route(account="a", topic="live"), Route(account="b", test=True, topic="trial"))
    ).topics
    assert _topic(topics, "invoice", account="a", test=True) == "payments.test"
    assert _topic(topics, "invoice", account="b", test=True) == "trial"
    assert _topic(topics, "invoice", account="b") == "payments.invoices"


def test_names_without_a_prefix() -> None:
    """The topics are named as documented."""
    topics = Settings().topics
    assert topics.own == (
        "payevents.inbox",
        "payevents.ledger",
        "payevents.watch-requests",
        "payevents.watchlist",
        "payevents.dead-letters",
    )
    assert sorted(topics.events) == [
        "payments.invoices",
        "payments.orders",
        "payments.test",
        "payments.transactions",
        "payments.transfers",
    ]


def test_the_prefix_stands_before_every_name() -> None:
    """The prefix is put before each topic as it stands, configured ones too."""
    topics = Settings(
        kafka=KafkaSettings(topic_prefix="acme."), routes=(Route(kind="x", topic="own"),)
    ).topics
    assert all(name.startswith("acme.pay") for name in topics.own)
    assert topics.events[0] == "acme.own"
    assert _topic(topics, "invoice") == "acme.payments.invoices"


def test_topics_of_events_keep_their_number_when_the_work_is_spread_wider() -> None:
    """Only inputs and tables of shards follow `partitions` where `event_partitions` is set."""
    grown = KafkaSettings(partitions=12, event_partitions=4)
    assert grown.for_events == 4
    assert KafkaSettings(partitions=12).for_events == 12
    specs = wanted_topics(Settings(kafka=grown))
    sharded = set(Settings().topics.sharded)
    assert {s.partitions for s in specs if s.name in sharded} == {12}
    assert {s.partitions for s in specs if s.name not in sharded} == {4}
