"""The harness itself: brokers, faults and readers behave as the other tests rely on."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer

from tests.kafka.cluster import Cluster, NotReadyError
from tests.kafka.ports import free_ports
from tests.kafka.reader import (
    ReadTimeoutError,
    Record,
    read_committed,
    read_stable,
    read_uncommitted,
)


@asynccontextmanager
async def running_producer(cluster: Cluster, **options: str) -> AsyncIterator[AIOKafkaProducer]:
    """Yield an idempotent producer that soon gives up a node that does not answer."""
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.bootstrap_servers,
        enable_idempotence=True,
        request_timeout_ms=2000,
        **options,
    ) as producer:
        yield producer


def values(records: list[Record]) -> list[bytes]:
    """Return the records' values, sorted: partitions come in any order."""
    return sorted(record.value or b"" for record in records)


async def test_records_come_back_as_they_were_sent(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """Key, value, headers and timestamp survive the way through the broker and the reader."""
    topic = topic_prefix + "records"
    kafka_cluster.create_topic(topic, partitions=3)
    async with running_producer(kafka_cluster) as producer:
        await producer.send_and_wait(
            topic, b"value", b"key", partition=2, timestamp_ms=1234, headers=[("name", b"header")]
        )
        await producer.send_and_wait(topic, None, b"key", partition=2, timestamp_ms=1235)

    records = await asyncio.to_thread(read_committed, kafka_cluster.bootstrap_servers, [topic])

    assert records == [
        Record(topic, 2, 0, b"key", b"value", (("name", b"header"),), 1234),
        Record(topic, 2, 1, b"key", None, (), 1235),
    ]


async def test_a_transaction_is_readable_only_once_committed(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """Open records are uncommitted ones, committed ones are readable, aborted ones never."""
    servers = kafka_cluster.bootstrap_servers
    topic = topic_prefix + "transactions"
    kafka_cluster.create_topic(topic)
    async with running_producer(kafka_cluster, transactional_id=topic) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed")
            assert await asyncio.to_thread(read_stable, servers, [topic]) == []
            uncommitted = await asyncio.to_thread(read_uncommitted, servers, [topic])
            assert values(uncommitted) == [b"committed"]
            with pytest.raises(ReadTimeoutError):
                await asyncio.to_thread(read_committed, servers, [topic], timeout=0.5)
        assert values(await asyncio.to_thread(read_committed, servers, [topic])) == [b"committed"]

        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted")
        await producer.abort_transaction()
        assert values(await asyncio.to_thread(read_committed, servers, [topic])) == [b"committed"]
        uncommitted = await asyncio.to_thread(read_uncommitted, servers, [topic])
        assert values(uncommitted) == [b"aborted", b"committed"]


async def test_a_reader_waits_for_what_is_not_there_yet(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """`until` holds the reader past the end the topic had, and up to the deadline at most."""
    servers = kafka_cluster.bootstrap_servers
    topic = topic_prefix + "later"
    kafka_cluster.create_topic(topic)
    reading = asyncio.create_task(
        asyncio.to_thread(read_committed, servers, [topic], until=lambda records: len(records) == 2)
    )
    async with running_producer(kafka_cluster) as producer:
        await producer.send_and_wait(topic, b"1")
        await producer.send_and_wait(topic, b"2")
    assert values(await reading) == [b"1", b"2"]

    with pytest.raises(ReadTimeoutError) as late:
        await asyncio.to_thread(
            read_committed, servers, [topic], until=lambda records: len(records) > 2, timeout=1
        )
    assert values(late.value.records) == [b"1", b"2"]


def test_a_reader_refuses_an_unknown_topic(kafka_cluster: Cluster, topic_prefix: str) -> None:
    """A misspelt topic is an error, never an empty answer."""
    with pytest.raises(LookupError, match="misspelt"):
        read_committed(kafka_cluster.bootstrap_servers, [topic_prefix + "misspelt"])


async def test_a_killed_node_comes_back_with_what_was_acknowledged(
    kafka_three: Cluster, topic_prefix: str
) -> None:
    """Records acknowledged before and while a node of three is dead are all there afterwards."""
    topic = topic_prefix + "kept"
    kafka_three.create_topic(topic, partitions=3)
    expected = [b"%03d" % number for number in range(300)]
    async with running_producer(kafka_three) as producer:
        await asyncio.gather(*[producer.send_and_wait(topic, value) for value in expected[:150]])
        kafka_three.kill(0)
        await asyncio.gather(*[producer.send_and_wait(topic, value) for value in expected[150:]])

    await asyncio.to_thread(kafka_three.restart, 0)

    assert kafka_three.running == [0, 1, 2]
    records = await asyncio.to_thread(read_committed, kafka_three.bootstrap_servers, [topic])
    assert values(records) == expected


async def test_a_paused_node_is_replaced_and_rejoins(
    kafka_three: Cluster, topic_prefix: str
) -> None:
    """Two of three nodes go on without a frozen one, and it is in sync again once resumed."""
    topic = topic_prefix + "paused"
    kafka_three.create_topic(topic, partitions=3)
    async with running_producer(kafka_three) as producer:
        kafka_three.pause(1)
        assert kafka_three.running == [0, 2]
        for partition in range(3):
            await producer.send_and_wait(topic, b"%d" % partition, partition=partition)

    records = await asyncio.to_thread(read_committed, kafka_three.bootstrap_servers, [topic])
    assert values(records) == [b"0", b"1", b"2"]

    kafka_three.resume(1)
    await asyncio.to_thread(kafka_three.await_ready, topics=[topic])
    assert kafka_three.running == [0, 1, 2]


def test_one_node_of_three_is_not_ready_alone(kafka_three: Cluster, topic_prefix: str) -> None:
    """Readiness is what the node says: without a majority it says no, and the error why."""
    kafka_three.create_topic(topic_prefix + "alone", partitions=3)
    kafka_three.kill(0)
    kafka_three.kill(1)

    with pytest.raises(NotReadyError, match=r"node 2: .*\n"):
        kafka_three.await_ready(timeout=1)


def test_a_taken_port_is_changed_for_another() -> None:
    """A port taken between its choice and its use costs a second attempt, not the test."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken_port = taken.getsockname()[1]
        choices = iter([[taken_port, *free_ports(1)], free_ports(2)])
        with Cluster(choose_ports=lambda _: next(choices)) as cluster:
            assert str(taken_port) not in cluster.bootstrap_servers
            assert cluster.running == [0]
