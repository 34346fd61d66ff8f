"""The other partitions of a table are looked at once for all shards of a process."""

import asyncio
from collections.abc import Collection
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from receiver.shards import neighbours
from receiver.shards.guards import Counts, ShardSpec
from receiver.shards.neighbours import Neighbours
from receiver.shards.table import BrokenTable, InputPosition

SPEC = ShardSpec("test", "app", "in", "table")
FOUR, EIGHT = Counts(4, 4), Counts(8, 8)
CONSUMER: Any = None


class Kafka:
    """Holds positions by partition; counts how often somebody looked, and at how many."""

    def __init__(self, positions: dict[int, InputPosition]) -> None:
        self.positions = positions
        self.looks: list[int] = []
        self.is_away = False

    async def latest_positions(
        self, _: object, partitions: Collection[TopicPartition]
    ) -> dict[int, InputPosition]:
        """Stand in for the function of this name."""
        await asyncio.sleep(0)
        self.looks.append(len(partitions))
        if self.is_away:
            raise KafkaConnectionError
        return self.positions


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """Return tables of which one partition was worked on, with four of each."""
    stand_in = Kafka({2: InputPosition(7, *FOUR)})
    monkeypatch.setattr(neighbours, "latest_positions", stand_in.latest_positions)
    return stand_in


async def test_shards_that_begin_at_once_look_once(kafka: Kafka) -> None:
    """Of many that ask at the same time one looks, at every partition, for all of them."""
    known = Neighbours()
    await asyncio.gather(*(known.check(CONSUMER, SPEC, FOUR) for _ in range(50)))
    assert kafka.looks == [4]


async def test_other_counts_are_looked_at_again(kafka: Kafka) -> None:
    """What was found with four partitions says nothing about eight."""
    known = Neighbours()
    await known.check(CONSUMER, SPEC, FOUR)
    with pytest.raises(BrokenTable, match="written with 4 partitions and now has 8"):
        await known.check(CONSUMER, SPEC, EIGHT)
    assert kafka.looks == [4, 8]


async def test_what_was_refused_is_refused_again(kafka: Kafka) -> None:
    """A shard is refused for as long as the positions do not fit, however many ask."""
    known = Neighbours()
    kafka.positions[1] = InputPosition(0, *FOUR, moving_to=8)
    for _ in range(2):
        with pytest.raises(BrokenTable, match="under way"):
            await known.check(CONSUMER, SPEC, FOUR)
    del kafka.positions[1]
    await known.check(CONSUMER, SPEC, FOUR)


async def test_a_look_that_failed_is_no_look(kafka: Kafka) -> None:
    """Where Kafka could not be read, the next shard looks for itself."""
    known = Neighbours()
    kafka.is_away = True
    with pytest.raises(KafkaConnectionError):
        await known.check(CONSUMER, SPEC, FOUR)
    kafka.is_away = False
    await known.check(CONSUMER, SPEC, FOUR)
    assert kafka.looks == [4, 4]
