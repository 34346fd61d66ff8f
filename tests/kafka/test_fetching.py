"""A consumer whose fetching ended, told to whoever works with it."""

import pytest

from receiver.shards.open_shard import OpenShard
from receiver.shards.session import SessionLost
from tests.kafka.cluster import Cluster
from tests.kafka.shards import clients, make_topics, open_shard, spec

TRIES = 100


async def fetch_again_and_again(shard: OpenShard) -> None:
    """Fetch from an empty input, far longer than it takes to notice anything."""
    for _ in range(TRIES):
        assert not await shard.fetch(wait=0.1, limit=10)


async def test_a_shard_whose_fetcher_died_is_lost(
    kafka_cluster: Cluster, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that aiokafka does not expect ends the shard's session, not only its fetching."""
    make_topics(kafka_cluster, topic_prefix)
    opened = await open_shard(clients(kafka_cluster), spec(topic_prefix))

    async def write_to_closed_transport(*_: object, **__: object) -> None:
        message = "unable to perform operation on <TCPTransport>; the handler is closed"
        raise RuntimeError(message)

    monkeypatch.setattr(opened.consumer._client, "send", write_to_closed_transport)
    with pytest.raises(SessionLost, match="does not fetch any more"):
        await fetch_again_and_again(opened.shard)
    await opened.discard()
