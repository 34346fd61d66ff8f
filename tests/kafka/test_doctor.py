"""The doctor against Apache Kafka: what would stop every shard, or the draining, is found."""

import asyncio
import json
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from confluent_kafka import Producer

from receiver.shards.table import InputPosition
from tests.kafka.cluster import Cluster
from tests.kafka.test_operator import command
from tests.support.configuration import service_config

MARKED = InputPosition(0, 4, 4, moving_to=8)


@pytest.fixture
def config(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> Path:
    """Return a configuration whose topics are made, with four partitions."""
    file = tmp_path / "payevents.toml"
    file.write_text(service_config(kafka_cluster.bootstrap_servers, topic_prefix, tmp_path))
    command(file, "topics", "create")
    return file


def wrong(config: Path) -> list[dict[str, str]]:
    """Return what the doctor calls wrong, of which there must be something."""
    told = json.loads(command(config, "doctor", "--json", expect=1).stdout)
    return [finding for finding in told["findings"] if finding["verdict"] == "wrong"]


async def alter(cluster: Cluster, topic: str, key: str, value: str) -> None:
    """Set this key of a topic's configuration, and all others back to the broker's defaults."""
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap_servers)
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {key: value})])
    await admin.close()


def test_a_number_of_partitions_that_stops_every_shard_is_wrong(config: Path) -> None:
    """The shards would refuse, so the doctor does not call that well."""
    config.write_text(config.read_text().replace("partitions = 4", "partitions = 8"))
    [finding] = wrong(config)
    assert finding["remedy"] == (
        "set kafka.partitions to 4 if 8 is a mistake there, or its default; if 8 are wanted, run"
        " 'payevents topics repartition' to move to 8 partitions, which cannot be undone"
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [("max.message.bytes", "500000"), ("unclean.leader.election.enable", "true")],
)
async def test_what_a_topic_must_not_be_set_to_is_wrong(
    kafka_cluster: Cluster, topic_prefix: str, config: Path, key: str, value: str
) -> None:
    """The cluster is asked for keys that the configuration says nothing about, too."""
    topic = f"{topic_prefix}payevents.inbox"
    await alter(kafka_cluster, topic, key, value)
    [finding] = await asyncio.to_thread(wrong, config)
    assert finding["told"].startswith(f"{topic}: {key} is {value}")
    assert f"set {key} of the topic" in finding["remedy"]


async def test_an_unfinished_repartition_is_wrong(
    kafka_cluster: Cluster, topic_prefix: str, config: Path
) -> None:
    """The positions in the tables say so, though every number of partitions is as wanted."""
    record = MARKED.record()
    producer = Producer({"bootstrap.servers": kafka_cluster.bootstrap_servers})
    producer.produce(f"{topic_prefix}payevents.ledger", record.value, record.key, partition=3)
    assert await asyncio.to_thread(producer.flush, 30) == 0
    [finding] = await asyncio.to_thread(wrong, config)
    assert "payevents.ledger: a repartition to 8" in finding["told"]
    assert finding["remedy"].endswith("run 'payevents topics repartition' again")
