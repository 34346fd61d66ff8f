"""Kafka away: webhooks are answered 200 all the same, and become their events exactly once."""

import asyncio
import json
from pathlib import Path

import pytest

from receiver.spool.file import Spooled, SpoolFile
from tests.kafka.cluster import Cluster
from tests.kafka.test_operator import ask, command, eventually
from tests.kafka.test_spine import made, read
from tests.support.configuration import service_config
from tests.support.judge import judge
from tests.support.payevents import Payevents
from tests.support.webhooks import Sender, lives

INVOICES = 300


@pytest.fixture
def config(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> str:
    """Return a configuration whose topics exist."""
    servers = kafka_cluster.bootstrap_servers
    return made(service_config(servers, topic_prefix, tmp_path / "spool"), tmp_path)


async def assert_all_published(cluster: Cluster, prefix: str) -> None:
    """Assert that each invoice was created and paid, exactly once and in order."""
    records = await read(cluster, prefix, "payments.invoices", 2 * INVOICES)
    verdict = judge(records)
    assert verdict.clean, verdict
    assert len(verdict.facts()) == len(verdict.events) == 2 * INVOICES


async def until_drained(service: Payevents) -> None:
    """Wait until nothing is left on disk."""

    async def drained() -> bool:
        _, report = await ask(f"{service.admin}/readyz")
        return bool(report["parts"]["spool"]["state"] == "ok")

    await eventually(drained, "the spool was never drained")


async def test_a_broker_that_dies_under_load_costs_no_webhook(
    config: str, kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """While the broker is killed and restarted each webhook gets its 200 at the first try."""
    with Payevents(config, tmp_path) as service:
        await asyncio.to_thread(service.await_line, "Kafka takes records")
        sender = Sender([f"{service.webhooks}/shop"], concurrency=4)
        sending = asyncio.create_task(sender.send(lives(INVOICES)))

        async def under_way() -> bool:
            return sender.accepted > INVOICES // 2

        await eventually(under_way, "the traffic never got under way")
        await asyncio.to_thread(kafka_cluster.kill, 0)
        await asyncio.to_thread(service.await_line, "webhooks go to the spool")
        await sending
        assert sender.refused == 0
        await asyncio.to_thread(kafka_cluster.restart, 0)
        await until_drained(service)
        await assert_all_published(kafka_cluster, topic_prefix)


async def test_started_without_kafka_it_takes_it_up_when_it_comes(
    config: str, kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """From the first second each webhook gets its 200, and nobody restarts the process."""
    await asyncio.to_thread(kafka_cluster.kill, 0)
    with Payevents(config, tmp_path) as service:
        sender = Sender([f"{service.webhooks}/shop"], concurrency=16)
        await sender.send(lives(INVOICES))
        assert sender.refused == 0
        await asyncio.to_thread(kafka_cluster.restart, 0)
        await until_drained(service)
        await assert_all_published(kafka_cluster, topic_prefix)
        assert await asyncio.to_thread(service.terminate) == 0


async def test_what_a_killed_process_spooled_is_published_by_the_next(
    config: str, kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """Started with Kafka away, it answers 200; killed, its spool is drained by its successor."""
    await asyncio.to_thread(kafka_cluster.kill, 0)
    with Payevents(config, tmp_path, "first") as first:
        sender = Sender([f"{first.webhooks}/shop"], concurrency=16)
        await sender.send(lives(INVOICES))
        assert sender.refused == 0
        await asyncio.to_thread(first.kill)
    assert len(list((tmp_path / "spool").glob("*.spool"))) == 1
    await asyncio.to_thread(kafka_cluster.restart, 0)
    with Payevents(config, tmp_path, "second"):
        await assert_all_published(kafka_cluster, topic_prefix)

        async def adopted() -> bool:
            left = await asyncio.to_thread(lambda: len(list((tmp_path / "spool").glob("*.spool"))))
            return left == 1

        await eventually(adopted, "the spool of the first was never deleted")


def test_the_command_drains_what_it_can_and_names_the_rest(config: str, tmp_path: Path) -> None:
    """What a dead process left goes to Kafka; a damaged file stays, and is told."""
    file = tmp_path / "payevents.toml"
    file.write_text(config)
    folder = tmp_path / "spool"
    folder.mkdir()
    with SpoolFile(folder / "left.spool", 1 << 20) as left:
        left.append([Spooled(b"smartpay/shop/invoice/i1", [], b"{}")] * 3)
    (folder / "bad.spool").write_bytes(b"no database" * 1000)
    told = json.loads(command(file, "spool", "drain", "--json", expect=1).stdout)
    assert told == {"drained": 3, "damaged": {"bad.spool": "file is not a database"}, "in_use": []}
    assert not (folder / "left.spool").exists()
    assert (folder / "bad.spool").exists()
