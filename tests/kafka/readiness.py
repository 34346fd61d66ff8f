"""What a node itself says of the cluster, as the only judge of whether it is ready."""

from collections.abc import Collection

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not in __all__
    AdminClient,
    ClusterMetadata,
    TopicMetadata,
)

ANSWER_TIMEOUT = 1.0
"""Seconds that a node is given to answer one question."""

QUIET = {"log_level": 0}
"""librdkafka reports each refused connection on stderr; here they are expected."""


def complaint(
    port: int, cluster_id: str, running: Collection[int], topics: Collection[str] = ()
) -> str | None:
    """Ask the node at `port`, which alone is asked, what is missing; None if nothing is.

    Ready means: every node in `running` is registered and unfenced, `topics` are known, and every
    partition has a leader and all its running replicas in sync.
    """
    # A fresh client knows this one node only, so that no other can answer for it.
    client = AdminClient(
        {
            "bootstrap.servers": f"127.0.0.1:{port}",
            "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 100,
            **QUIET,
        }
    )
    try:
        metadata = client.list_topics(timeout=ANSWER_TIMEOUT)
    except KafkaException as error:
        return f"no answer: {error}"
    if metadata.cluster_id != cluster_id:
        # Another run's node, if it took the port first; ours is about to end then.
        return f"port {port} belongs to the cluster {metadata.cluster_id}"
    return _missing_nodes(metadata, running) or _unready_topics(metadata, running, topics)


def _missing_nodes(metadata: ClusterMetadata, running: Collection[int]) -> str | None:
    missing = set(running) - set(metadata.brokers)
    return f"it does not see the nodes {sorted(missing)}" if missing else None


def _unready_topics(
    metadata: ClusterMetadata, running: Collection[int], topics: Collection[str]
) -> str | None:
    unknown = set(topics) - set(metadata.topics)
    if unknown:
        return f"it does not know the topics {sorted(unknown)}"
    for topic in metadata.topics.values():
        reason = _unready_partition(topic, running)
        if reason is not None:
            return reason
    return None


def _unready_partition(topic: TopicMetadata, running: Collection[int]) -> str | None:
    for number, partition in topic.partitions.items():
        if partition.leader not in running:
            return f"{topic.topic}[{number}] has no running leader"
        lagging = set(partition.replicas) & set(running) - set(partition.isrs)
        if lagging:
            return f"{topic.topic}[{number}] is not in sync on the nodes {sorted(lagging)}"
    return None
