"""Sessions: a transaction is all or nothing, and only the latest owner has any."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from aiokafka.producer.sender import AddPartitionsToTxnHandler
from aiokafka.protocol.transaction import AddPartitionsToTxnResponse_v0

from receiver.shards import beginning
from receiver.shards.session import Fenced, Session, SessionLost
from tests.kafka import shards
from tests.kafka.cluster import Cluster
from tests.kafka.reader import read_committed, read_stable


@pytest.fixture
async def sessions(kafka_cluster: Cluster, topic_prefix: str) -> AsyncIterator[list[Session]]:
    """Return two sessions of one id, the first of them started; the topics are there."""
    await asyncio.to_thread(shards.make_topics, kafka_cluster, topic_prefix)
    source = shards.clients(kafka_cluster)
    pair = [Session(source, f"{topic_prefix}id") for _ in range(2)]
    await pair[0].start()
    yield pair
    for session in pair:
        await session.discard()


async def test_a_commit_is_readable_in_all_its_topics(
    sessions: list[Session], kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """What one commit wrote to several topics is there for a read_committed reader."""
    batches = {(f"{topic_prefix}{name}", 0): [shards.record(name)] for name in ("table", "out")}
    await sessions[0].commit(batches)
    topics = [topic for topic, _ in batches]
    found = await asyncio.to_thread(read_committed, kafka_cluster.bootstrap_servers, topics)
    assert {record.key for record in found} == {b"table", b"out"}


async def test_commits_follow_each_other_before_aiokafka_would_pause(
    sessions: list[Session], topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka refuses one that begins while the last still ends: aiokafka hears of few of these."""
    too_soon: list[bool] = []
    heard: list[object] = []
    is_too_soon, handle = beginning._is_too_soon, AddPartitionsToTxnHandler.handle_response

    def noted(response: AddPartitionsToTxnResponse_v0) -> bool:
        too_soon.append(is_too_soon(response))
        return too_soon[-1]

    def told(handler: AddPartitionsToTxnHandler, response: AddPartitionsToTxnResponse_v0) -> object:
        if is_too_soon(response):
            heard.append(response)
        return handle(handler, response)

    monkeypatch.setattr(beginning, "_is_too_soon", noted)
    monkeypatch.setattr(AddPartitionsToTxnHandler, "handle_response", told)
    for number in range(30):
        await sessions[0].commit({(f"{topic_prefix}out", 0): [shards.record(str(number))]})
    refused_at_first = sum(now and not before for before, now in pairwise([False, *too_soon]))
    assert refused_at_first > 0
    assert len(heard) < refused_at_first / 2


async def test_a_newer_session_fences_the_older(
    sessions: list[Session], kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """After a second session of the id started, the first commits nothing and is told why."""
    out = (f"{topic_prefix}out", 0)
    older, newer = sessions
    await older.commit({out: [shards.record("before")]})
    await newer.start()
    with pytest.raises(Fenced):
        await older.commit({out: [shards.record("zombie")]})
    await newer.commit({out: [shards.record("after")]})
    found = await asyncio.to_thread(read_committed, kafka_cluster.bootstrap_servers, [out[0]])
    assert [record.key for record in found] == [b"before", b"after"]


async def test_a_new_session_ends_a_dead_owners_transaction(
    sessions: list[Session], kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """Readers are not held up by what an owner left open, as soon as the next one started."""
    out = (f"{topic_prefix}out", 0)
    older, newer = sessions
    producer = older._producer
    await producer.begin_transaction()
    await producer.send_and_wait(out[0], b"never committed", partition=0)
    await older.discard()
    await newer.start()
    await newer.commit({out: [shards.record("after")]})
    found = await asyncio.to_thread(
        read_committed,
        kafka_cluster.bootstrap_servers,
        [out[0]],
        until=bool,
        timeout=5,
    )
    assert [record.key for record in found] == [b"after"]


async def test_a_failed_record_fails_the_commit(
    sessions: list[Session], kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A record that the broker refuses takes the whole transaction with it."""
    table, out = (f"{topic_prefix}table", 0), (f"{topic_prefix}small", 0)
    await asyncio.to_thread(
        kafka_cluster.create_topic, out[0], config={"max.message.bytes": "1000"}
    )
    with pytest.raises(SessionLost, match="MessageSizeTooLarge"):
        await sessions[0].commit(
            {table: [shards.record("table")], out: [shards.record("out", "x" * 5000)]}
        )
    await sessions[1].start()
    found = await asyncio.to_thread(read_stable, kafka_cluster.bootstrap_servers, [table[0]])
    assert found == []


@pytest.mark.parametrize("moment", ["idle", "sending", "committing"])
async def test_discarding_is_quick_and_leaves_nothing_while_the_broker_is_frozen(
    sessions: list[Session], kafka_cluster: Cluster, topic_prefix: str, moment: str
) -> None:
    """A session is thrown away beside a frozen broker within seconds, with no task left."""
    out = (f"{topic_prefix}out", 0)
    session = sessions[0]
    await session.commit({out: [shards.record("before")]})
    others = asyncio.all_tasks()
    if moment == "committing":
        await session._producer.begin_transaction()
        await session._producer.send_and_wait(out[0], b"x", partition=0)
    kafka_cluster.pause(0)
    work: asyncio.Task[None] | None = None
    if moment == "sending":
        work = asyncio.create_task(session.commit({out: [shards.record("lost")]}))
    if moment == "committing":
        work = asyncio.create_task(session._producer.commit_transaction())
    if work is not None:
        await asyncio.wait([work], timeout=0.3)
        work.cancel()
        await asyncio.wait([work])
    async with asyncio.timeout(5):
        await session.discard()
    kafka_cluster.resume(0)
    left = {task for task in asyncio.all_tasks() - others if not task.done()}
    assert not left


async def test_a_session_of_a_cluster_that_is_away_is_lost(kafka_cluster: Cluster) -> None:
    """A session that cannot reach Kafka says so instead of waiting."""
    source = shards.clients(kafka_cluster)
    nowhere = Session(
        type(source)({"bootstrap_servers": "127.0.0.1:1"}, source.timeouts), "some-id"
    )
    with pytest.raises(SessionLost):
        await nowhere.start()
    await nowhere.discard()
