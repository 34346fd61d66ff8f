"""Snapshots of compacted topics, as shards write them."""

import pytest

from receiver.kafka.clients import Record, partition_for
from receiver.kafka.snapshot import Row, SnapshotFailed, read_snapshot
from receiver.shards.session import Session
from tests.kafka.cluster import Cluster
from tests.kafka.shards import clients

PARTITIONS = 3


def value(row: Row) -> bytes:
    """Return what the tests look at."""
    return row.value


async def written(cluster: Cluster, topic: str, *transactions: list[Record]) -> None:
    """Write transactions to a new topic as a session does, each record where its key belongs."""
    cluster.create_topic(topic, partitions=PARTITIONS, config={"cleanup.policy": "compact"})
    session = Session(clients(cluster), topic)
    await session.start()
    for records in transactions:
        batches: dict[tuple[str, int], list[Record]] = {}
        for record in records:
            place = (topic, partition_for(record.key, PARTITIONS))
            batches.setdefault(place, []).append(record)
        await session.commit(batches)
    await session.discard()


async def test_a_snapshot_is_the_last_record_of_each_key(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """Later values replace earlier ones, tombstones remove, and an empty value is a value."""
    topic = topic_prefix + "table"
    # More than one fetch of each partition brings.
    keys = [b"%d" % number for number in range(5000)]
    await written(
        kafka_cluster,
        topic,
        [Record(key, b"old") for key in keys],
        [Record(key, b"new", [("name", b"header")]) for key in keys[1:]],
        [Record(keys[2], None), Record(keys[3], b""), Record(b"\x00position", b"{}")],
    )
    rows = await read_snapshot(clients(kafka_cluster), topic, lambda row: row)
    expected = {keys[0]: b"old", **dict.fromkeys(keys[1:], b"new"), keys[3]: b""}
    del expected[keys[2]]
    assert {key: row.value for key, row in rows.items()} == expected
    assert rows[keys[1]].header("name") == "header"
    assert rows[keys[1]].header("another") == ""


async def test_a_snapshot_of_one_partition(kafka_cluster: Cluster, topic_prefix: str) -> None:
    """With a partition key, only what lives beside it is read."""
    topic = topic_prefix + "table"
    keys = [b"%d" % number for number in range(50)]
    await written(kafka_cluster, topic, [Record(key, b"x") for key in keys])
    found = await read_snapshot(clients(kafka_cluster), topic, value, partition_key=keys[0])
    beside = partition_for(keys[0], PARTITIONS)
    assert set(found) == {key for key in keys if partition_for(key, PARTITIONS) == beside}


async def test_an_empty_topic_gives_an_empty_snapshot(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """Nothing written, or nothing but deletions, is an answer, not a wait."""
    topic = topic_prefix + "table"
    await written(kafka_cluster, topic)
    assert await read_snapshot(clients(kafka_cluster), topic, value) == {}


async def test_a_missing_topic_is_told(kafka_cluster: Cluster, topic_prefix: str) -> None:
    """A topic that is not there is an error that says what to do, and is not made by asking."""
    for _ in range(2):
        with pytest.raises(SnapshotFailed, match="payevents topics create"):
            await read_snapshot(clients(kafka_cluster), f"{topic_prefix}missing", value)
