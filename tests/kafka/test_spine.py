"""The spine: a signed body goes in, and a read_committed reader sees its events exactly once."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.loading import load
from receiver.accounts.providers import installed_providers
from receiver.kafka.options import clients_for
from receiver.kafka.topics import create_topics, wanted_topics
from tests.kafka.cluster import Cluster
from tests.kafka.reader import Record, read_committed
from tests.support.configuration import service_config
from tests.support.judge import judge
from tests.support.payevents import Payevents
from tests.support.webhooks import Sender, Webhook, invoice, lives, post


@pytest.fixture
def config(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> str:
    """Return a configuration whose topics exist."""
    return made(service_config(kafka_cluster.bootstrap_servers, topic_prefix, tmp_path), tmp_path)


def made(config: str, folder: Path) -> str:
    """Make the topics of ``config``; return it."""
    file = folder / "topics.toml"
    file.write_text(config)
    models = {name: provider.settings for name, provider in installed_providers().items()}
    settings = load(file, {}, models)
    asyncio.run(create_topics(clients_for(settings.kafka), wanted_topics(settings)))
    return config


@pytest.fixture
def service(config: str, tmp_path: Path) -> Iterator[Payevents]:
    """Return the running service."""
    with Payevents(config, tmp_path) as running:
        running.await_line("Kafka takes records")
        yield running


async def read(cluster: Cluster, prefix: str, topic: str, count: int) -> list[Record]:
    """Return the records of a topic once there are ``count``, and all that come with them."""
    names = [f"{prefix}{topic}"]
    servers = cluster.bootstrap_servers
    await asyncio.to_thread(
        read_committed, servers, names, until=lambda found: len(found) >= count, timeout=60
    )
    return await asyncio.to_thread(read_committed, servers, names)


async def test_a_signed_webhook_becomes_its_event(
    service: Payevents, kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A signed body is answered 200 and read, committed, as the event that it asserts."""
    assert await post(f"{service.webhooks}/shop", invoice("aBc123")) == 200
    [record] = await read(kafka_cluster, topic_prefix, "payments.invoices", 1)
    event = json.loads(record.value or b"")
    assert record.key == b"smartpay/shop/invoice/aBc123"
    assert dict(record.headers)["ce_id"] == event["id"].encode()
    assert event["type"] == "payments.invoice.created"
    assert event["data"]["amount"] == {"value": "10.00", "minor_units": 1000, "currency": "CAD"}
    assert event["data"]["evidence"]["topic"] == f"{topic_prefix}payevents.inbox"


async def test_a_forged_webhook_is_refused(
    service: Payevents, kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A body signed with another key gets 401, and nothing of it reaches the inbox."""
    assert await post(f"{service.webhooks}/shop", invoice("forged"), key="not the key") == 401
    assert await post(f"{service.webhooks}/shop", invoice("true")) == 200
    [record] = await read(kafka_cluster, topic_prefix, "payevents.inbox", 1)
    assert record.key == b"smartpay/shop/invoice/true"


async def test_a_paid_invoice_never_seen_before_is_created_first(
    service: Payevents, kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A body that shows a payment publishes the inferred creation, then the payment."""
    paid = invoice("p1", "invoice/paid", date_paid="2018-01-01 12:00:00")
    assert await post(f"{service.webhooks}/shop", paid) == 200
    records = await read(kafka_cluster, topic_prefix, "payments.invoices", 2)
    told = [
        (e["data"]["action"], e["data"]["inferred"], e["data"]["sequence"], e["time"])
        for e in judge(records).events
    ]
    assert told == [
        ("created", True, 1, "2018-01-01T12:00:00Z"),
        ("paid", False, 2, "2018-01-01T12:00:00Z"),
    ]


async def test_duplicates_and_disorder_give_each_event_once(
    service: Payevents, kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """Every webhook delivered three times, backwards and forwards, is published once."""
    webhooks = lives(200)
    sender = Sender([f"{service.webhooks}/shop"])
    await sender.send([*reversed(webhooks), *webhooks, *webhooks])
    records = await read(kafka_cluster, topic_prefix, "payments.invoices", 400)
    verdict = judge(records)
    assert verdict.clean, verdict
    assert len(verdict.events) == 400


async def test_what_cannot_be_understood_is_a_dead_letter_with_its_bytes(
    service: Payevents, kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A signed body that is no JSON gets 200, and becomes one counted dead letter."""
    nonsense = Webhook("invoice/paid", b"\xff not json")
    for _ in range(2):
        assert await post(f"{service.webhooks}/shop", nonsense) == 200
    records = await read(kafka_cluster, topic_prefix, "payevents.dead-letters", 2)
    first, last = records
    headers = {name: (value or b"").decode() for name, value in last.headers}
    assert first.key == last.key
    assert last.value == nonsense.body
    assert headers["payevents-reason"] == "not-json"
    assert headers["payevents-count"] == "2"


async def test_a_topic_that_claims_more_than_its_body_publishes_nothing(
    service: Payevents, kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A created body replayed under the unsigned topic invoice/paid does not forge a payment."""
    forged = invoice("f1", "invoice/paid")
    assert await post(f"{service.webhooks}/shop", forged) == 200
    records = await read(kafka_cluster, topic_prefix, "payevents.watch-requests", 1)
    requests = [json.loads(record.value or b"") for record in records]
    assert [each["claim"]["action"] for each in requests if "claim" in each] == ["paid"]
    records = await read(kafka_cluster, topic_prefix, "payments.invoices", 1)
    assert judge(records).facts() == {("invoice/f1", "created"): 1}
