"""Tables of a test's own that are moved to more partitions, and what must be true meanwhile."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from receiver.kafka.clients import Clients, partition_for
from receiver.shards.guards import ShardSpec
from receiver.shards.repartition.plan import Pair
from receiver.shards.repartition.run import Progress, repartition
from receiver.shards.repartition.survey import survey
from receiver.shards.table import BrokenTable, InputPosition
from tests.kafka import shards
from tests.kafka.cluster import Cluster

OLD, NEW = 2, 3
KEYS = [f"key-{number}".encode() for number in range(60)]
COMMON = b"\x00latest"


def quiet(*_: object) -> None:
    """Take note of no progress."""


@dataclass(frozen=True)
class Tables:
    """An input and its table, each entry at its home, and each partition worked on."""

    clients: Clients
    pair: Pair

    @classmethod
    async def made(cls, cluster: Cluster, prefix: str) -> "Tables":
        """Make the topics and fill the table, as shards do."""
        spec = shards.spec(prefix)
        for topic in (spec.input_topic, spec.table_topic):
            await asyncio.to_thread(cluster.create_topic, topic, partitions=OLD)
        pair = Pair(spec, lambda key, _: None if key == COMMON else key, {COMMON: max})
        tables = cls(shards.clients(cluster), pair)
        for partition in range(OLD):
            opened = await shards.open_shard(tables.clients, spec, partition)
            entries = {k: b"of " + k for k in KEYS if partition_for(k, OLD) == partition}
            common = {COMMON: str(partition).encode()}
            await opened.shard.commit({**entries, **common}, offset=10 + partition)
            await opened.discard()
        return tables

    async def repartition(self, progress: Progress = quiet, target: int = NEW) -> None:
        """Move to ``target`` partitions, from the survey to the end."""
        await repartition(
            self.clients, await survey(self.clients, self.pair, target, quiet), progress
        )

    async def open(self, partition: int, configured: int) -> shards.Opened | BrokenTable:
        """Start the shard of a replica that is ``configured`` so; return it, or why it refuses."""
        opened = shards.Opened(self.clients, self._configured(configured), partition)
        try:
            await opened.start()
        except BrokenTable as refusal:
            await opened.discard()
            return refusal
        return opened

    async def assert_none_works_on_half_a_state(self, inputs: int) -> None:
        """Start each shard, with the old configuration and the new: it refuses, or has it all."""
        for partition in range(inputs):
            for configured in (OLD, NEW):
                opened = await self.open(partition, configured)
                if isinstance(opened, shards.Opened):
                    position, entries = opened.shard.position, dict(opened.shard.entries)
                    await opened.discard()
                    assert position.input_partitions == configured
                    assert without_common(entries) == at_home(partition, configured)

    async def assert_moved(self, offsets: Mapping[int, int]) -> None:
        """Assert that every shard works, with its entries and position, and the common key."""
        for partition in range(NEW):
            opened = await self.open(partition, NEW)
            assert isinstance(opened, shards.Opened), opened
            entries, position = dict(opened.shard.entries), opened.shard.position
            await opened.discard()
            assert entries[COMMON] == b"1"
            assert without_common(entries) == at_home(partition, NEW)
            assert position == InputPosition(offsets[partition], NEW, NEW)

    def _configured(self, partitions: int) -> ShardSpec:
        return replace(self.pair.spec, partitions=partitions)


def at_home(partition: int, partitions: int) -> dict[bytes, bytes]:
    """Return the entries that belong into a partition."""
    return {k: b"of " + k for k in KEYS if partition_for(k, partitions) == partition}


def without_common(entries: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Return the entries but for the key that all partitions share."""
    return {key: value for key, value in entries.items() if key != COMMON}
