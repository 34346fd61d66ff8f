"""`payevents webhooks` and `payevents doctor --account` as people run them, on Apache Kafka."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from handlers.smartpay.topics import TOPICS
from tests.kafka.cluster import Cluster
from tests.kafka.merchant import Merchant, merchant, until
from tests.kafka.test_registration import CREATIONS, check, sell

SWIFTLY = ("--patience", "10s")


@pytest.fixture
async def shop(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Merchant]:
    """Return a merchant whose webhooks nobody looks after unasked, and one replica."""
    async with merchant(kafka_cluster, topic_prefix, tmp_path) as shop:
        await shop.serve()
        yield shop


def states(told: dict[str, Any]) -> dict[str, str]:
    """Return the state of each topic, as a command told it."""
    return {one["topic"]: one["state"] for one in told["topics"]}


async def test_webhooks_are_listed_previewed_registered_and_tested(shop: Merchant) -> None:
    """A preview changes nothing; asked to, all five are registered and proven, then found well."""
    listed = await shop.told("webhooks", "list", *SWIFTLY)
    assert states(listed) == dict.fromkeys(TOPICS, "missing")
    previewed = await shop.run("webhooks", "ensure", "--dry-run", *SWIFTLY)
    lines = previewed.stdout.splitlines()
    assert [line for line in lines if line.startswith("+ ")] == [
        f"+ {topic} -> {shop.url}  (it is not subscribed)" for topic in TOPICS
    ]
    assert lines[-1] == "would be done: 5; nothing was changed"
    assert (await shop.webhooks(), shop.called(*CREATIONS)) == ({}, 0)
    sick = await shop.told("doctor", expect=1)
    missing = [one for one in sick["findings"] if one["told"].startswith("not registered")]
    assert [one["subject"] for one in missing] == [f"webhook {topic}" for topic in TOPICS]
    ensured = await shop.run("webhooks", "ensure", *SWIFTLY)
    assert "5 of 5 topics lead here, and what we caused arrived" in ensured.stdout
    again = await shop.told("webhooks", "ensure", "--dry-run", *SWIFTLY)
    assert (again["changes"], states(again)) == (0, dict.fromkeys(TOPICS, "proven"))
    proven_at = {one["topic"]: one["proven_at"] for one in again["topics"]}
    tested = await shop.told("webhooks", "test", "--topic", "invoice/paid", *SWIFTLY)
    assert tested["complete"]
    after = {one["topic"]: one["proven_at"] for one in tested["topics"]}
    assert after["invoice/paid"] > proven_at["invoice/paid"]
    await sell(shop)
    await check(shop, 1)
    well = await shop.run("doctor")
    assert "nothing is wrong" in well.stdout
    assert shop.called(*CREATIONS) == len(TOPICS)


async def test_the_list_shows_how_much_of_the_failure_budget_is_used(shop: Merchant) -> None:
    """What a replica refused is told with the list, for its topic alone."""
    await shop.run("webhooks", "ensure", *SWIFTLY)
    await sell(shop)
    await shop.host.control("forge")

    async def is_counted() -> bool:
        known = (await shop.care()).vitals.topics.get("invoice/paid")
        return known is not None and bool(known.failures)

    await until(is_counted, lambda: "the refusal was not counted")
    told = await shop.told("webhooks", "list", *SWIFTLY)
    used = {one["topic"]: one["undeliverable"]["at_least"] for one in told["topics"]}
    assert used.pop("invoice/paid") > 0
    assert set(used.values()) == {0}
    listed = await shop.run("webhooks", "list", *SWIFTLY)
    assert listed.stdout.count("at least 0 of 20") == len(TOPICS) - 1


async def test_what_another_has_is_moved_only_when_told(shop: Merchant) -> None:
    """A topic that leads elsewhere is left there, with 1, until --take-over."""
    elsewhere = "http://127.0.0.1:9/of-another"
    shop.host.sandbox.subscribe(elsewhere)
    refused = await shop.run("webhooks", "ensure", *SWIFTLY, expect=1)
    assert "--take-over moves them here" in refused.stderr
    assert {one["url"] for one in (await shop.webhooks()).values()} == {elsewhere}
    moved = await shop.told("webhooks", "ensure", "--take-over", *SWIFTLY)
    assert states(moved) == dict.fromkeys(TOPICS, "proven")
    assert {one["url"] for one in (await shop.webhooks()).values()} == {shop.url}


async def test_an_account_that_is_disabled_is_left_alone(shop: Merchant) -> None:
    """Calls stop until an operator has one tried, and webhooks are taken meanwhile."""
    await shop.run("webhooks", "ensure", *SWIFTLY)
    await shop.host.control("disable-account")

    async def is_stopped() -> bool:
        return (await shop.care()).standing.stop is not None

    await until(is_stopped, lambda: "calls go on")
    calls = shop.host.requests.total()
    await sell(shop)
    await check(shop, 1)
    assert shop.host.requests.total() == calls
    refused = await shop.run("webhooks", "list", "--patience", "2s", expect=1)
    assert "the calls of the account are stopped" in refused.stderr
    assert shop.host.requests.total() <= calls + 1
    await shop.host.control("enable-account")
    await shop.run("webhooks", "ensure", *SWIFTLY)
    await asyncio.to_thread(shop.replicas[0].await_line, "alarm over")
    await check(shop, 1)
