"""All three providers on Apache Kafka: their sandboxes on one side, a judge on the other."""

import asyncio
import json
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from config.account import HistorySettings
from handlers.provider import RECONCILIATION
from receiver.accounts.providers import installed_providers
from receiver.sandbox.host import SandboxHost
from receiver.sandbox.snippet import as_toml
from tests.kafka.cluster import Cluster
from tests.kafka.reader import Record
from tests.kafka.test_operator import ask, eventually
from tests.kafka.test_spine import made, read
from tests.support.configuration import service_config
from tests.support.payevents import COMMAND, Payevents


@dataclass
class Town:
    """The sandboxes by provider, and replicas of the service between them and Kafka."""

    hosts: dict[str, SandboxHost]
    start: Callable[[str], Payevents]
    read: Callable[[str, int], Any]

    async def service(self, name: str = "payevents") -> Payevents:
        """Start a replica, and wait until it works on some partition of each role."""
        replica = await asyncio.to_thread(self.start, name)
        await asyncio.to_thread(replica.await_line, "Kafka takes records")
        return replica

    async def events(self, topic: str, count: int) -> list[dict[str, Any]]:
        """Return the events of a topic once there are ``count``, and all that came with them."""
        records: list[Record] = await self.read(topic, count)
        return [json.loads(record.value or b"") for record in records]


@pytest.fixture
async def town(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Town]:
    """Return the town: sandboxes up, topics made, no replica yet."""
    async with AsyncExitStack() as opened:
        hosts = {
            name: await opened.enter_async_context(SandboxHost(provider.sandbox()))
            for name, provider in installed_providers().items()
        }
        changed = {
            name: {"poll_interval": timedelta(seconds=1), "import_since": datetime.now(UTC).date()}
            if issubclass(provider.settings, HistorySettings)
            else {"poll_interval": timedelta(seconds=1)}
            for name, provider in installed_providers().items()
        }
        accounts = "".join(
            as_toml(
                host.sandbox.account(f"{name}-1", host.base_url).model_copy(update=changed[name])
            )
            for name, host in hosts.items()
        )
        servers = kafka_cluster.bootstrap_servers
        config = service_config(servers, topic_prefix, tmp_path, accounts=accounts)
        await asyncio.to_thread(made, config, tmp_path)

        def start(name: str) -> Payevents:
            replica = Payevents(config, tmp_path, name)
            opened.callback(replica.__exit__)
            replica.start()
            return replica

        async def read_topic(topic: str, count: int) -> list[Record]:
            return await read(kafka_cluster, topic_prefix, topic, count)

        yield Town(hosts, start, read_topic)


async def watch(service: Payevents, resource: object) -> None:
    """Register what Voucherry returned, as whoever created it does."""
    body = {"account": "voucherry-1", "resource": resource}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.admin}/v1/watches", json=body) as answer,
    ):
        assert answer.status == 202, await answer.text()


def actions(events: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    """Return how often each subject saw each action."""
    return Counter((event["subject"], event["data"]["action"]) for event in events)


async def test_a_claim_without_evidence_is_looked_up_and_its_webhook_is_then_a_duplicate(
    town: Town,
) -> None:
    """A body that shows nothing is looked up; the same fact by look-up and webhook is one event."""
    service = await town.service()
    smartpay = town.hosts["smartpay"]
    smartpay.sandbox.subscribe(f"{service.webhooks}/smartpay-1")

    async def is_reconciled() -> bool:
        _, found = await ask(f"{service.admin}/v1/watches", params={"account": "smartpay-1"})
        windows = [watch for watch in found["watches"] if watch["kind"] == RECONCILIATION]
        return bool(windows) and all(watch["last_polled_at"] for watch in windows)

    await eventually(is_reconciled, "the listings were never read")
    await smartpay.control("create-invoice", amount="10.00")
    await smartpay.control("silent-body")
    looked_up = await town.events("payments.invoices", 2)
    assert [event["data"]["action"] for event in looked_up] == ["created", "paid"]
    assert looked_up[1]["data"]["origin"] == "lookup"
    await smartpay.control("pay")
    await smartpay.control("create-invoice", amount="20.00")
    events = await town.events("payments.invoices", 3)
    assert actions(events) == {
        ("invoice/invoice-1", "created"): 1,
        ("invoice/invoice-1", "paid"): 1,
        ("invoice/invoice-2", "created"): 1,
    }
    assert {event["id"] for event in events} == set(
        map(str, smartpay.sandbox.caused("smartpay-1"))
    ) - {event["id"] for event in await town.events("payments.orders", 2)}


async def test_a_poller_that_dies_is_succeeded_without_a_repetition(town: Town) -> None:
    """A poller killed with SIGKILL: its heir goes on where it was and publishes nothing twice.

    What the user was charged before ``import_since`` is only remembered, by both of them.
    """
    subscriply, voucherry = town.hosts["subscriply"], town.hosts["voucherry"]
    await subscriply.control("add-subscription")
    long_ago = datetime.now(UTC) - timedelta(days=400)
    old: Any = subscriply.sandbox.controls["charge"].run({}, long_ago)
    first = await town.service("first")
    await subscriply.control("charge", amount="1999")
    transfer = await voucherry.control("create-transfer", amount="50")
    await watch(first, transfer)
    await town.events("payments.transactions", 1)
    await town.events("payments.transfers", 1)
    await asyncio.to_thread(first.kill)
    await town.service("second")
    await subscriply.control("void")
    await subscriply.control("void", transaction=str(old["id"]))
    await subscriply.control("refund", amount="500")
    await voucherry.control("confirm")
    transactions = await town.events("payments.transactions", 4)
    transfers = await town.events("payments.transfers", 2)
    assert Counter(actions(transactions).values()) == {1: 4}
    [voided] = [e["data"] for e in transactions if e["subject"] == f"charge/{old['id']}"]
    assert (voided["action"], voided["sequence"]) == ("voided", 1)
    assert voided["previous_status"] == "succeeded"
    assert [e["type"] for e in transfers] == [
        "payments.transfer.requested",
        "payments.transfer.confirmed",
    ]
    # Each change was handed on once: the first poll's digests came over with the watchlist.
    inbox = await town.read("payevents.inbox", 7)
    assert Counter(record.value for record in inbox).most_common(1)[0][1] == 1


def test_the_demo_runs_on_a_real_kafka(kafka_cluster: Cluster) -> None:
    """`payevents demo --bootstrap-servers` tells its whole story on Apache Kafka, exactly once."""
    servers = kafka_cluster.bootstrap_servers
    done = subprocess.run(
        [COMMAND, "demo", "--seconds", "1", "--bootstrap-servers", servers],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "each exactly once" in done.stdout
