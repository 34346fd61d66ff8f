"""Shards: table and position commit together and are restored to the last commit, never short."""

import asyncio
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaProducer

from receiver.kafka.clients import Clients
from receiver.shards.open_shard import ShardSpec
from receiver.shards.session import Session, SessionLost
from receiver.shards.table import BrokenTable
from tests.kafka import shards
from tests.kafka.cluster import Cluster


async def feed(cluster: Cluster, topic: str, count: int) -> None:
    """Write ``count`` input records."""
    producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap_servers, acks="all")
    await producer.start()
    for number in range(count):
        await producer.send(topic, str(number).encode(), key=b"k", partition=0)
    await producer.flush()
    await producer.stop()


async def test_table_and_position_survive_their_owner(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A new owner has the entries and the position of the last commit, and no more."""
    await asyncio.to_thread(shards.make_topics, kafka_cluster, topic_prefix)
    source, spec = shards.clients(kafka_cluster), shards.spec(topic_prefix)
    await feed(kafka_cluster, spec.input_topic, 10)
    first = await shards.open_shard(source, spec)
    assert first.shard.position.offset == 0
    fetched = await first.shard.fetch(wait=5, limit=4)
    assert [record.value for record in fetched] == [b"0", b"1", b"2", b"3"]
    await first.shard.commit({b"a": b"1", b"b": b"1"}, offset=4)
    await first.shard.commit({b"b": None, b"c": b"2"}, offset=5)
    await first.discard()
    second = await shards.open_shard(source, spec)
    assert dict(second.shard.entries) == {b"a": b"1", b"c": b"2"}
    assert second.shard.position.offset == 5
    [record] = await second.shard.fetch(wait=5, limit=1)
    assert record.value == b"5"
    await second.discard()


async def test_a_restore_right_after_a_thaw_is_not_stale(
    kafka_three: Cluster, topic_prefix: str
) -> None:
    """A table restored while its former leader is thawed holds what was committed meanwhile."""
    await asyncio.to_thread(shards.make_topics, kafka_three, topic_prefix)
    source, spec = shards.clients(kafka_three), shards.spec(topic_prefix)
    first = await shards.open_shard(source, spec)
    await first.shard.commit({b"before": b"1"})
    leader = await asyncio.to_thread(_leader, kafka_three, spec.table_topic)
    await first.discard()
    kafka_three.pause(leader)
    second = await _open_patiently(source, spec)
    await second.shard.commit({b"meanwhile": b"1"})
    await second.discard()
    kafka_three.resume(leader)
    third = await _open_patiently(source, spec)
    assert dict(third.shard.entries) == {b"before": b"1", b"meanwhile": b"1"}
    await third.discard()


async def test_entries_without_a_position_are_refused(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A table that holds entries but no input position is not worked on."""
    await asyncio.to_thread(shards.make_topics, kafka_cluster, topic_prefix)
    source, spec = shards.clients(kafka_cluster), shards.spec(topic_prefix)
    stranger = Session(source, "a stranger")
    await stranger.start()
    await stranger.commit({(spec.table_topic, 0): [shards.record("somebody's")]})
    await stranger.discard()
    opened = shards.Opened(source, spec, 0)
    with pytest.raises(BrokenTable, match="no input position"):
        await opened.start()
    await opened.discard()


async def test_records_deleted_before_they_were_handled_are_told(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A shard whose position lies before the topic's beginning refuses instead of skipping."""
    await asyncio.to_thread(shards.make_topics, kafka_cluster, topic_prefix)
    source, spec = shards.clients(kafka_cluster), shards.spec(topic_prefix)
    first = await shards.open_shard(source, spec)
    await first.shard.commit({b"a": b"1"})
    await first.discard()
    await feed(kafka_cluster, spec.input_topic, 5)
    await asyncio.to_thread(_delete_before, kafka_cluster, spec.input_topic, 3)
    opened = shards.Opened(source, spec, 0)
    with pytest.raises(BrokenTable, match="3 records"):
        await opened.start()
    await opened.discard()


@pytest.mark.parametrize("end", ["commit", "abort"])
async def test_markers_that_are_deleted_were_no_records(
    kafka_cluster: Cluster, topic_prefix: str, end: str
) -> None:
    """A shard that handled all there was starts again after all of it, markers too, was deleted.

    That is what becomes of a quiet input after its retention, if transactions wrote it.
    """
    await asyncio.to_thread(shards.make_topics, kafka_cluster, topic_prefix)
    source, spec = shards.clients(kafka_cluster), shards.spec(topic_prefix)
    await asyncio.to_thread(_write_in_transaction, kafka_cluster, spec.input_topic, end)
    first = await shards.open_shard(source, spec)
    await first.shard.fetch(wait=2, limit=500)
    await first.shard.commit({}, offset=first.shard.reached)
    await first.discard()
    await asyncio.to_thread(_delete_before, kafka_cluster, spec.input_topic, -1)
    second = await shards.open_shard(source, spec)
    await feed(kafka_cluster, spec.input_topic, 1)
    [record] = await second.shard.fetch(wait=5, limit=1)
    assert second.shard.reached == record.offset + 1
    await second.discard()


async def test_unequal_partition_counts_are_refused(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """An input and a table with different numbers of partitions are not worked on."""
    spec = shards.spec(topic_prefix)
    await asyncio.to_thread(kafka_cluster.create_topic, spec.input_topic, partitions=2)
    await asyncio.to_thread(kafka_cluster.create_topic, spec.table_topic, partitions=1)
    opened = shards.Opened(shards.clients(kafka_cluster), spec, 0)
    with pytest.raises(BrokenTable, match="same number"):
        await opened.start()
    await opened.discard()


async def test_topics_that_were_enlarged_are_refused(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A partition beyond the configured number is not worked on: its table knows of nothing."""
    spec = replace(shards.spec(topic_prefix), partitions=1)
    for topic in (spec.input_topic, spec.table_topic):
        await asyncio.to_thread(kafka_cluster.create_topic, topic, partitions=2)
    opened = shards.Opened(shards.clients(kafka_cluster), spec, 1)
    with pytest.raises(BrokenTable, match="was enlarged"):
        await opened.start()
    await opened.discard()


async def _open_patiently(source: Clients, spec: ShardSpec) -> shards.Opened:
    """Open a shard as its life does: again after every loss, until it stands."""
    async with asyncio.timeout(90):
        while True:
            opened = shards.Opened(source, spec, 0)
            try:
                await opened.start()
            except SessionLost:
                await opened.discard()
            else:
                return opened


def _leader(cluster: Cluster, topic: str) -> int:
    from confluent_kafka.admin import AdminClient

    client = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})
    return int(client.list_topics(topic, timeout=10).topics[topic].partitions[0].leader)


def _write_in_transaction(cluster: Cluster, topic: str, end: str) -> None:
    from confluent_kafka import Producer

    servers = {"bootstrap.servers": cluster.bootstrap_servers}
    producer = Producer({**servers, "transactional.id": f"{topic}-writer"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"a request", partition=0)
    producer.flush(30)
    if end == "commit":
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)


def _delete_before(cluster: Cluster, topic: str, offset: int) -> None:
    from confluent_kafka import TopicPartition
    from confluent_kafka.admin import AdminClient

    client = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})
    for future in client.delete_records([TopicPartition(topic, 0, offset)]).values():
        future.result()
