"""The witness of the input, and the way back after the input is another one."""

import asyncio
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from receiver.kafka.clients import Clients
from receiver.shards.open_shard import InputRecord, ShardSpec
from receiver.shards.rewind import NoSuchPartition, Rewound, rewind
from receiver.shards.session import SessionLost
from receiver.shards.table import BrokenTable, InputPosition
from tests.kafka import shards
from tests.kafka.cluster import Cluster
from tests.kafka.test_spine import made, read
from tests.support.configuration import service_config
from tests.support.judge import judge
from tests.support.payevents import COMMAND, Payevents
from tests.support.webhooks import Sender, lives

HANDLED = 6
INVOICES = 50
PARTITIONS = 4


@pytest.fixture
async def spec(kafka_cluster: Cluster, topic_prefix: str) -> ShardSpec:
    """Return a shard's topics, of which a part of the input was handled."""
    await asyncio.to_thread(shards.make_topics, kafka_cluster, topic_prefix)
    spec = shards.spec(topic_prefix)
    await feed(kafka_cluster, spec, "first", HANDLED + 4)
    opened = await shards.open_shard(shards.clients(kafka_cluster), spec)
    fetched: list[InputRecord] = []
    while len(fetched) < HANDLED:
        fetched += await opened.shard.fetch(wait=5, limit=HANDLED - len(fetched))
    await opened.shard.commit({b"entry": b"1"}, offset=opened.shard.reached)
    await opened.discard()
    return spec


async def feed(cluster: Cluster, spec: ShardSpec, what: str, count: int) -> None:
    """Append records to the input."""
    producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap_servers, acks="all")
    await producer.start()
    for number in range(count):
        await producer.send_and_wait(
            spec.input_topic, f"{what} {number}".encode(), key=b"k", partition=0
        )
    await producer.stop()


async def make_anew(cluster: Cluster, spec: ShardSpec, count: int) -> None:
    """Delete the input and make it again, with other records: it might be an older one's copy."""
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})
    await asyncio.to_thread(admin.delete_topics([spec.input_topic])[spec.input_topic].result)
    await asyncio.to_thread(cluster.create_topic, spec.input_topic)
    await feed(cluster, spec, "second", count)


async def refusal(source: Clients, spec: ShardSpec) -> str:
    """Return why the shard refuses, when it starts or when it reads on."""
    opened = shards.Opened(source, spec, 0)
    try:
        await opened.start()
        await opened.shard.fetch(wait=5, limit=1)
    except BrokenTable as refused:
        return str(refused)
    finally:
        await opened.discard()
    raise AssertionError("it did not refuse")


async def handled_next(source: Clients, spec: ShardSpec) -> Sequence[bytes | None]:
    """Return the values of what a shard that starts now would handle."""
    opened = await shards.open_shard(source, spec)
    assert dict(opened.shard.entries) == {b"entry": b"1"}
    fetched = await opened.shard.fetch(wait=5, limit=500)
    await opened.discard()
    return [record.value for record in fetched]


async def test_the_same_input_is_gone_on_with(kafka_cluster: Cluster, spec: ShardSpec) -> None:
    """The witness is where it was, and the next record is the first that was not handled."""
    [first, *_] = await handled_next(shards.clients(kafka_cluster), spec)
    assert first == b"first 6"


@pytest.mark.parametrize("records", [HANDLED, HANDLED + 10])
async def test_an_input_made_anew_that_has_grown_again_is_refused(
    kafka_cluster: Cluster, spec: ShardSpec, records: int
) -> None:
    """The old position exists in it, but to go on there would skip what nobody handled."""
    await make_anew(kafka_cluster, spec, records)
    told = await refusal(shards.clients(kafka_cluster), spec)
    assert "is not the one that was handled" in told
    assert "Disaster" in told


async def test_an_input_that_ends_before_the_position_is_refused(
    kafka_cluster: Cluster, spec: ShardSpec
) -> None:
    """A shard never waits for a shorter input to grow up to its position."""
    await make_anew(kafka_cluster, spec, 2)
    assert "outside of the topic" in await refusal(shards.clients(kafka_cluster), spec)


async def test_a_witness_that_retention_deleted_denies_nothing(
    kafka_cluster: Cluster, spec: ShardSpec
) -> None:
    """A quiet input, emptied by its retention, is the same one still."""
    admin = AdminClient({"bootstrap.servers": kafka_cluster.bootstrap_servers})
    for future in admin.delete_records([TopicPartition(spec.input_topic, 0, HANDLED)]).values():
        await asyncio.to_thread(future.result)
    [first, *_] = await handled_next(shards.clients(kafka_cluster), spec)
    assert first == b"first 6"


@pytest.mark.parametrize("records", [2, HANDLED + 10])
async def test_after_a_rewind_all_of_the_new_input_is_handled(
    kafka_cluster: Cluster, spec: ShardSpec, records: int
) -> None:
    """The table keeps its entries, and the position is the input's beginning."""
    await make_anew(kafka_cluster, spec, records)
    source = shards.clients(kafka_cluster)
    assert await rewind(source, spec) == [Rewound(0, HANDLED, 0)]
    expected = [f"second {number}".encode() for number in range(records)]
    assert await handled_next(source, spec) == expected


async def test_a_shard_at_work_is_fenced_by_a_rewind(
    kafka_cluster: Cluster, spec: ShardSpec
) -> None:
    """What it had fetched before cannot move the position forwards again."""
    source = shards.clients(kafka_cluster)
    opened = await shards.open_shard(source, spec)
    await opened.shard.fetch(wait=5, limit=500)
    await rewind(source, spec, [0])
    with pytest.raises(SessionLost):
        await opened.shard.commit({b"entry": b"2"}, offset=opened.shard.reached)
    await opened.discard()
    [first, *_] = await handled_next(source, spec)
    assert first == b"first 0"


async def test_a_rewind_in_the_middle_of_a_repartition_is_refused(
    kafka_cluster: Cluster, spec: ShardSpec
) -> None:
    """The positions say then how far the entries were moved, and nothing may change them."""
    source = shards.clients(kafka_cluster)
    opened = await shards.open_shard(source, spec)
    moving = InputPosition(HANDLED, 1, 1, moving_to=2)
    await opened.session.commit({(spec.table_topic, 0): [moving.record()]})
    await opened.discard()
    with pytest.raises(BrokenTable, match="under way"):
        await rewind(source, spec)


async def test_a_partition_that_is_not_there_is_not_rewound(
    kafka_cluster: Cluster, spec: ShardSpec
) -> None:
    """The others stay as they are too."""
    source = shards.clients(kafka_cluster)
    with pytest.raises(NoSuchPartition, match="no partition 1"):
        await rewind(source, spec, [0, 1])
    [first, *_] = await handled_next(source, spec)
    assert first == b"first 6"


def rewind_all(config: Path) -> bytes:
    """Run the command for the inbox; return what it printed."""
    command = ["topics", "rewind", "--role", "route", "--yes", "--json", "--config", str(config)]
    return subprocess.run([str(COMMAND), *command], capture_output=True, check=True).stdout


async def test_a_running_service_takes_a_rewind_up_and_publishes_nothing_twice(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """Its routers are fenced as they go on, and route the whole inbox once more: in vain."""
    servers = kafka_cluster.bootstrap_servers
    config = await asyncio.to_thread(
        made, service_config(servers, topic_prefix, tmp_path), tmp_path
    )
    with Payevents(config, tmp_path) as service:
        await asyncio.to_thread(service.await_line, "Kafka takes records")
        sender = Sender([f"{service.webhooks}/shop"])
        await sender.send(lives(INVOICES))
        await read(kafka_cluster, topic_prefix, "payments.invoices", 2 * INVOICES)
        for _ in range(2 * PARTITIONS):
            await asyncio.to_thread(service.await_line, "the shard runs")
        done = await asyncio.to_thread(rewind_all, service.config)
        assert all(each["now"] == 0 for each in json.loads(done)["rewound"])
        await sender.send(lives(INVOICES, "later"))
        for _ in range(PARTITIONS):
            again = await asyncio.to_thread(service.await_line, "the shard runs", 60)
            assert again["at"] == 0
        records = await read(kafka_cluster, topic_prefix, "payments.invoices", 4 * INVOICES)
    verdict = judge(records)
    assert verdict.clean, verdict
    assert len(verdict.facts()) == len(verdict.events) == 4 * INVOICES
