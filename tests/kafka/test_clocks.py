"""Replicas whose clocks are wrong: what they publish, and the times that Kafka goes by."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.chaos.replica import Replica
from tests.kafka.cluster import Cluster
from tests.kafka.test_spine import made, read
from tests.support.configuration import service_config
from tests.support.webhooks import invoice, post

HOUR = 3600.0
MINUTE_MS = 60_000


@pytest.mark.parametrize("offset", [30 * HOUR, -1000 * 24 * HOUR], ids=["ahead", "behind"])
async def test_a_wrong_clock_neither_stops_a_replica_nor_ages_its_records(
    offset: float, kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """A day ahead, Kafka would refuse records; years behind, their retention would be over."""
    servers = kafka_cluster.bootstrap_servers
    text = service_config(servers, topic_prefix, tmp_path / "spool")
    config = await asyncio.to_thread(made, text, tmp_path)
    replica = Replica(config, tmp_path, "replica", tmp_path / "spool")
    replica.set_clock(offset)
    with replica:
        await asyncio.to_thread(replica.await_line, "Kafka takes records")
        assert await post(f"{replica.webhooks}/shop", invoice("i1")) == 200
        for topic in ("payments.invoices", "payevents.inbox"):
            [record] = await read(kafka_cluster, topic_prefix, topic, 1)
            assert abs(record.timestamp_ms - time.time() * 1000) < MINUTE_MS
    assert "webhooks go to the spool" not in replica.log()
