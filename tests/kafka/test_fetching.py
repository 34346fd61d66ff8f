"""A consumer one of whose tasks has ended, told to whoever works with it."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.protocol.fetch import FetchRequest

from receiver.kafka.clients import Clients
from receiver.kafka.discard import discard_consumer
from receiver.kafka.following import follow
from receiver.shards.open_shard import BACKLOG, PATIENCE, OpenShard
from receiver.shards.session import SessionLost
from tests.kafka.cluster import Cluster
from tests.kafka.shards import clients, make_topics, open_shard, record, spec

TRIES = 100


async def fetch_again_and_again(shard: OpenShard) -> None:
    """Fetch from an empty input, far longer than it takes to notice anything."""
    for _ in range(TRIES):
        assert not await shard.fetch(wait=0.1, limit=10)


async def write_to_closed_transport(*_: object, **__: object) -> None:
    """Fail as uvloop does for a connection that was reset in the same moment."""
    message = "unable to perform operation on <TCPTransport>; the handler is closed"
    raise RuntimeError(message)


async def end_metadata_task(consumer: AIOKafkaConsumer, patch: pytest.MonkeyPatch) -> None:
    """Have the consumer ask for metadata, once, over a connection that was reset."""
    with patch.context() as failing:
        failing.setattr(consumer._client, "_metadata_update", write_to_closed_transport)
        consumer._client.force_metadata_update()
        await asyncio.wait([consumer._client._sync_task], timeout=60.0)
    assert consumer._client._sync_task.done()


async def test_a_shard_whose_fetcher_died_is_lost(
    kafka_cluster: Cluster, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that aiokafka does not expect ends the shard's session, not only its fetching."""
    make_topics(kafka_cluster, topic_prefix)
    opened = await open_shard(clients(kafka_cluster), spec(topic_prefix))
    monkeypatch.setattr(opened.consumer._client, "send", write_to_closed_transport)
    with pytest.raises(SessionLost, match="does not fetch any more"):
        await fetch_again_and_again(opened.shard)
    await opened.discard()


async def test_a_shard_whose_metadata_task_died_is_lost(
    kafka_cluster: Cluster, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would fetch nothing any more, without an error, once the leader has changed."""
    make_topics(kafka_cluster, topic_prefix)
    opened = await open_shard(clients(kafka_cluster), spec(topic_prefix))
    await end_metadata_task(opened.consumer, monkeypatch)
    with pytest.raises(SessionLost, match="no new leader any more"):
        await fetch_again_and_again(opened.shard)
    await opened.discard()


async def test_a_shard_without_news_asks_seldom_and_hears_at_once(
    kafka_cluster: Cluster, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker keeps its questions for seconds, where they are the most of what idleness costs.

    A record that comes meanwhile is answered with, long before the broker would give up waiting.
    """
    make_topics(kafka_cluster, topic_prefix)
    opened = await open_shard(clients(kafka_cluster), spec(topic_prefix))
    while not opened.shard.is_caught_up:
        await opened.shard.fetch(wait=0.1, limit=10)
    asked = questions(opened.consumer, monkeypatch)
    for _ in range(30):
        assert not await opened.shard.fetch(wait=0.1, limit=10)
    # One may have been under way before it was known that there is no news; at first it was 250 ms.
    assert len(asked) <= 2
    began = asyncio.get_running_loop().time()
    waiting = asyncio.create_task(opened.shard.fetch(wait=60.0, limit=10))
    await opened.session.commit({(f"{topic_prefix}in", 0): [record("a")]})
    assert [each.key for each in await waiting] == [b"a"]
    assert asyncio.get_running_loop().time() - began < PATIENCE
    await opened.discard()


async def test_what_comes_while_a_few_are_handled_is_fetched_together(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """One fetch brings all of it: of a fetch made in advance the first record would be all."""
    make_topics(kafka_cluster, topic_prefix)
    source = clients(kafka_cluster)
    opened = await open_shard(source, spec(topic_prefix))
    producer = source.appending_producer()
    await producer.start()
    together = []
    for keys in ((b"a",), (b"b", b"c", b"d")):
        for key in keys:
            await producer.send_and_wait(f"{topic_prefix}in", key=key, partition=0)
        together.append([each.key for each in await opened.shard.fetch(wait=60.0, limit=10)])
    assert together == [[b"a"], [b"b", b"c", b"d"]]
    await producer.stop()
    await opened.discard()


async def test_a_backlog_is_fetched_in_advance(kafka_cluster: Cluster, topic_prefix: str) -> None:
    """While its records are handled, the next are on their way: many, or what is left of a few."""
    make_topics(kafka_cluster, topic_prefix)
    opened = await open_shard(clients(kafka_cluster), spec(topic_prefix))
    place = (f"{topic_prefix}in", 0)
    for count, limit in ((BACKLOG + 1, BACKLOG), (3, 2)):
        await opened.session.commit({place: [record("a")] * count})
        assert len(await opened.shard.fetch(wait=60.0, limit=limit)) == limit
        assert opened.shard.has_backlog
        assert not opened.consumer.paused()
        assert len(await opened.shard.fetch(wait=60.0, limit=limit)) == 1
        assert not opened.shard.has_backlog
        assert opened.consumer.paused()
    await opened.discard()


def questions(consumer: AIOKafkaConsumer, patch: pytest.MonkeyPatch) -> list[FetchRequest]:
    """Return a list to which each request of the consumer for records is added."""
    asked: list[FetchRequest] = []
    send = consumer._client.send

    async def noted(node_id: int, request: object, **options: object) -> object:
        if isinstance(request, FetchRequest):
            asked.append(request)
        return await send(node_id, request, **options)

    patch.setattr(consumer._client, "send", noted)
    return asked


async def test_who_follows_a_topic_is_told(
    kafka_cluster: Cluster, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever iterates over what comes does not wait for ever, and has had what there was."""
    topic = f"{topic_prefix}in"
    kafka_cluster.create_topic(topic)
    source = clients(kafka_cluster)
    producer = source.appending_producer()
    await producer.start()
    await producer.send_and_wait(topic, b"only")
    await producer.stop()
    made = consumers_made(monkeypatch)
    records = follow(source, [topic], from_beginning=True)
    async with asyncio.timeout(60.0):
        assert (await anext(records)).value == b"only"
        waiting = asyncio.ensure_future(anext(records))
        await end_metadata_task(made[-1], monkeypatch)
        with pytest.raises(KafkaError, match="no new leader any more"):
            await waiting


async def test_a_member_whose_metadata_task_died_is_told(
    kafka_cluster: Cluster, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would look for its coordinator for ever, once that has changed."""
    topic = f"{topic_prefix}in"
    kafka_cluster.create_topic(topic)
    member = clients(kafka_cluster).member(f"{topic_prefix}group")
    await member.start()
    member.subscribe([topic])
    await member.getmany(timeout_ms=100)
    await end_metadata_task(member, monkeypatch)
    with pytest.raises(KafkaError, match="no new leader any more"):
        await member.getmany(timeout_ms=100)
    await discard_consumer(member)


def consumers_made(patch: pytest.MonkeyPatch) -> list[AIOKafkaConsumer]:
    """Return a list to which each consumer of a partition is added as it is made."""
    made: list[AIOKafkaConsumer] = []
    real = Clients.partition_consumer

    def partition_consumer(self: Clients) -> AIOKafkaConsumer:
        made.append(real(self))
        return made[-1]

    patch.setattr(Clients, "partition_consumer", partition_consumer)
    return made
