"""Neighbours: the other partitions of a table, looked at before a shard begins with an empty one.

Each look reads the ends of them all. So the shards of one process look once together: otherwise a
first start would cost the square of the number of partitions.
"""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from receiver.shards.guards import Counts, ShardSpec, check_counts_of
from receiver.shards.positions import latest_positions


class Neighbours:
    """What the shards of one role in one process found out together."""

    def __init__(self) -> None:
        self._looking = asyncio.Lock()
        self._checked: Counts | None = None

    async def check(self, consumer: AIOKafkaConsumer, spec: ShardSpec, counts: Counts) -> None:
        """Refuse if a partition of the table was written with other ``counts`` of partitions.

        With the same counts nobody looks twice: for another partition to be written with others
        since, the topics must have got others, and then so did whoever asks. Where the consumer
        stands afterwards is undefined.

        Raises:
            BrokenTable: one was, or entries are on the move.
            KafkaError: Kafka cannot be read.
            TimeoutError: it does not answer.
        """
        async with self._looking:
            if self._checked == counts:
                return
            tables = [TopicPartition(spec.table_topic, each) for each in range(counts.tables)]
            for position in (await latest_positions(consumer, tables)).values():
                check_counts_of(position, spec, counts)
            self._checked = counts
