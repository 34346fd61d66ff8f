"""SmartPay's webhooks looked after by two replicas on Apache Kafka, whatever happens to either."""

import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from handlers.fact import Fact
from handlers.resource import ResourceKey
from handlers.smartpay.facts import PROVIDER
from handlers.smartpay.topics import TOPICS
from tests.chaos.checker import Findings
from tests.kafka.cluster import Cluster
from tests.kafka.merchant import ACCOUNT, Merchant, merchant, until
from tests.support.judge import Verdict
from tests.support.payevents import Payevents
from tests.support.webhooks import lives, post

CREATIONS = ("create_webhook", "POST /2-0/webhooks")
PROOFS = ("modify_webhook", "PATCH /2-0/webhooks", "/actions/test")
SIGN_INS = ("authenticate",)
A_LIFE = 3
"""What an invoice that was paid and its order tell."""

KEY, NEW_KEY = "sandbox-api-key", "sandbox-api-key-2"


async def sell(shop: Merchant, *, paid: bool = True) -> str:
    """Have an invoice created, and paid; return its id."""
    created: Any = await shop.host.control("create-invoice")
    if paid:
        await shop.host.control("pay")
    return str(created["invoice_id"])


async def check(shop: Merchant, sold: int) -> set[str]:
    """Wait until so many invoices' lives are published, each fact once, as the sandbox showed it.

    Returns the ids.
    """
    published = Verdict([], Findings())

    async def is_complete() -> bool:
        nonlocal published
        published = await shop.published()
        ids = {event["id"] for event in published.events}
        return len(ids) >= sold * A_LIFE and ids == caused(shop)

    await until(is_complete, lambda: f"{published} is not {caused(shop)}")
    assert published.clean, published.findings
    return caused(shop)


def caused(shop: Merchant) -> set[str]:
    """Return the ids of all facts that the sandbox showed to anybody."""
    return {str(fact) for fact in shop.host.sandbox.caused(ACCOUNT)}


def paid_id(invoice: str) -> UUID:
    """Return the id of the event that an invoice was paid, as its webhook gives it."""
    return Fact(ResourceKey(PROVIDER, ACCOUNT, "invoice", invoice), "paid").id


def last_step_of(replica: Payevents) -> str:
    """Return when a replica made its last step of the registration, as its log says; or nothing."""
    lines = [json.loads(line) for line in replica.log().splitlines()]
    made = "a step of the registration was made"
    return max((line["timestamp"] for line in lines if line["message"] == made), default="")


@pytest.mark.parametrize("api_version", ["1-2", "2-0"])
async def test_from_nothing_and_with_a_death_midway(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path, api_version: str
) -> None:
    """Five topics are created once each and proven, by one replica and the heir of its token."""
    async with merchant(
        kafka_cluster, topic_prefix, tmp_path, manage_webhooks=True, api_version=api_version
    ) as shop:
        await shop.serve()
        await shop.serve()

        async def is_under_way() -> bool:
            return shop.called(*CREATIONS) >= 2

        await until(is_under_way, lambda: f"nothing is registered: {shop.host.requests}")
        owner = max(shop.replicas, key=last_step_of)
        await shop.end(owner, by=Payevents.kill)
        await shop.until_proven()
        found = await shop.webhooks()
        assert {topic: one["url"] for topic, one in found.items()} == dict.fromkeys(
            TOPICS, shop.url
        )
        # The heir cannot know of a call that was under way; the provider refuses it then.
        assert sorted(one["webhook_id"] for one in found.values()) == [
            f"webhook-{number}" for number in range(1, 1 + len(TOPICS))
        ]
        assert shop.called(*CREATIONS) <= len(TOPICS) + 1
        assert shop.called(*SIGN_INS) == 1
        # What was proven stays so: only a call that was under way can have to be proven anew.
        assert shop.called(*PROOFS) <= len(shop.replicas)
        await sell(shop)
        await check(shop, 1)


async def test_a_webhook_that_is_disabled_silently(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """A payment that no webhook told is published as by one, and the webhook is created anew."""
    async with merchant(kafka_cluster, topic_prefix, tmp_path, manage_webhooks=True) as shop:
        await shop.serve()
        await shop.serve()
        proven = await shop.until_proven()
        before = (await shop.webhooks())["invoice/paid"]["webhook_id"]
        await shop.host.control("disable-webhook", topic="invoice/paid")
        enabled_at = proven["invoice/paid"].registration.enabled_at or 0.0

        async def is_later() -> bool:
            # SmartPay's times are whole seconds, and one from before tells nothing of a webhook.
            return time.time() > enabled_at + 1.0

        await until(is_later, lambda: "the clock stands still")
        missed = await sell(shop)
        assert str(paid_id(missed)) in await check(shop, 1)

        async def is_another() -> bool:
            now = (await shop.webhooks()).get("invoice/paid")
            return now is not None and now["webhook_id"] != before and now["is_enabled"]

        await until(is_another, lambda: "it was not created anew")
        silent = '"code":"webhook-silent"'
        assert any(silent in replica.log() for replica in shop.replicas)
        await shop.until_proven()
        await sell(shop)

        async def is_told() -> bool:
            return bool((await shop.webhooks())["invoice/paid"]["delivered"] > 0)

        await until(is_told, lambda: "the new webhook told nothing")
        await check(shop, 2)


async def test_a_key_is_rotated_without_a_loss(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """With the old key calls stop, and every webhook is taken; with the new one calls go on."""
    async with merchant(
        kafka_cluster,
        topic_prefix,
        tmp_path,
        manage_webhooks=True,
        next_api_key=SecretStr(NEW_KEY),
    ) as shop:
        first, second = await shop.serve(), await shop.serve()
        await shop.until_proven()
        await sell(shop)
        rotated: Any = await shop.host.control("rotate-key")
        assert rotated == {"api_key": NEW_KEY}

        async def is_stopped() -> bool:
            return (await shop.care()).standing.stop is not None

        await until(is_stopped, lambda: "calls go on with a key that is refused")
        calls = shop.host.requests.total()
        await sell(shop)
        await check(shop, 2)
        assert shop.host.requests.total() == calls
        examined = await shop.told("doctor", expect=1)
        told = {one["subject"]: one for one in examined["findings"]}
        assert told["credentials"]["verdict"] == "wrong"
        assert "calls are stopped" in told["credentials"]["told"]
        assert told["signing key"]["told"].startswith("next_api_key last at ")
        shop.change(
            api_key=SecretStr(NEW_KEY), next_api_key=None, previous_api_keys=[SecretStr(KEY)]
        )
        for replica in (first, second):
            await shop.serve()
            await shop.end(replica, by=Payevents.terminate)

        async def goes_on() -> bool:
            return (await shop.care()).standing.stop is None

        await until(goes_on, lambda: "calls do not go on with the new key")
        await sell(shop)
        await check(shop, 3)
        assert shop.host.requests.total() > calls
        assert not any(one["undeliverable"] for one in (await shop.webhooks()).values())


async def test_failures_at_either_replica_are_counted_together(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """What two replicas refused is one number, of the twenty that disable a webhook."""
    async with merchant(kafka_cluster, topic_prefix, tmp_path) as shop:
        first, second = await shop.serve(), await shop.serve()

        async def is_looked_after() -> bool:
            # What was enabled nobody knows when is taken to be so since then.
            return (await shop.care()).registered.looked_at is not None

        await until(is_looked_after, lambda: "nobody looks after the account")
        for replica, refused in ((first, lives(3, "a")), (second, lives(2, "b"))):
            for webhook in refused:
                url = f"{replica.webhooks}/{ACCOUNT}"
                assert await post(url, webhook, key="another's") == 401
        counted: dict[str, int] = {}

        async def is_counted() -> bool:
            topics = (await shop.care()).vitals.topics
            counted.update({topic: len(known.failures) for topic, known in topics.items()})
            return counted == {"invoice/created": 5, "invoice/paid": 5}

        await until(is_counted, lambda: f"counted is {counted}")
        examined = await shop.told("doctor", expect=1)
        told = next(one for one in examined["findings"] if one["subject"] == "failure budget")
        assert told["verdict"] == "wrong"
        for topic in counted:
            assert f"{topic}: at least 5 of 20 undeliverable" in told["told"]
        assert "5 because of 401" in told["told"]
