"""Sessions and shards on a test's own topics, without the rest of the service."""

from receiver.kafka.clients import Clients, Record, Timeouts
from receiver.kafka.discard import discard_consumer
from receiver.shards.open_shard import OpenShard, ShardSpec
from receiver.shards.session import Session
from tests.kafka.cluster import Cluster

TIMEOUTS = Timeouts(acknowledge=2.0, session=6.0, transaction=10.0, start=60.0)


def clients(cluster: Cluster) -> Clients:
    """Return a maker of clients with short time-outs."""
    return Clients({"bootstrap_servers": cluster.bootstrap_servers}, TIMEOUTS)


def spec(prefix: str) -> ShardSpec:
    """Return a shard's topics under ``prefix``."""
    return ShardSpec("test", f"{prefix}app", f"{prefix}in", f"{prefix}table")


def make_topics(cluster: Cluster, prefix: str) -> None:
    """Make the input, table and output topics of :func:`spec`, with one partition each."""
    for name in ("in", "table", "out"):
        cluster.create_topic(f"{prefix}{name}")


async def open_shard(source: Clients, shard_spec: ShardSpec, partition: int = 0) -> "Opened":
    """Start a session for the partition, restore its table, and return both."""
    opened = Opened(source, shard_spec, partition)
    await opened.start()
    return opened


class Opened:
    """An open shard with the parts that a test must throw away itself."""

    def __init__(self, source: Clients, shard_spec: ShardSpec, partition: int) -> None:
        self.session = Session(source, shard_spec.transactional_id(partition))
        self.consumer = source.partition_consumer()
        self.shard = OpenShard(shard_spec, partition, self.session, self.consumer)

    async def start(self) -> None:
        """Start and restore."""
        await self.session.start()
        await self.consumer.start()
        await self.shard.restore(lambda _: None)

    async def discard(self) -> None:
        """Throw both away."""
        await self.session.discard()
        await discard_consumer(self.consumer)


def record(key: str, value: str = "x") -> Record:
    """Return a record of text."""
    return Record(key.encode(), value.encode())
