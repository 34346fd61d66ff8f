"""Topics that are missing, on Apache Kafka as it is by default: it makes what is asked for."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from tests.kafka.cluster import Cluster
from tests.kafka.properties import server_properties
from tests.kafka.test_operator import command, until_it_is
from tests.support.configuration import service_config
from tests.support.payevents import Payevents
from tests.support.webhooks import invoice, post


@pytest.fixture
def generous(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Return a cluster as Kafka is by default: it makes a topic that somebody asks for."""

    def as_by_default(*arguments: object) -> str:
        never, ever = (f"auto.create.topics.enable={is_on}" for is_on in ("false", "true"))
        text = server_properties(*arguments)  # type: ignore[arg-type]
        assert never in text
        return text.replace(never, ever)

    monkeypatch.setattr("tests.kafka.cluster.server_properties", as_by_default)
    with Cluster() as started:
        yield started


def topics_of(cluster: Cluster) -> set[str]:
    """Return the names of all topics but Kafka's own; to ask so makes none."""
    found = AdminClient({"bootstrap.servers": cluster.bootstrap_servers}).list_topics(timeout=30)
    return {name for name in found.topics if not name.startswith("__")}


async def test_nothing_has_a_broker_make_a_topic(generous: Cluster, tmp_path: Path) -> None:
    """Started before `topics create`, the service waits for the topics, and gets none made."""
    with Payevents(service_config(generous.bootstrap_servers, "", tmp_path), tmp_path) as service:
        assert await post(f"{service.webhooks}/shop", invoice("i1")) == 200
        # Who joined its group has asked for its input, and who would drain for the inbox.
        for line in ["partitions assigned", "partitions assigned", "draining waits"]:
            await asyncio.to_thread(service.await_line, line)
        for failing in [["tail"], ["watches", "list"], ["dead-letters", "list"]]:
            await asyncio.to_thread(command, service.config, *failing, expect=1)
        assert await asyncio.to_thread(topics_of, generous) == set()
        await asyncio.to_thread(command, service.config, "topics", "create")
        await until_it_is(service, "ok")
        await asyncio.to_thread(command, service.config, "doctor")
