"""The survey: how much there is to move and how long that takes, before anything is changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from aiokafka import TopicPartition

from receiver.kafka.clients import Clients
from receiver.kafka.reading import partitions_of, started_consumer
from receiver.kafka.scan import scan
from receiver.shards.guards import Counts
from receiver.shards.repartition.plan import Found, Pair, check, is_done, moves
from receiver.shards.table import Table

_READS = 2
"""The tables are read again to be marked, and once more to be moved."""
_MOVES_PER_SECOND = 20_000
_SECONDS_PER_SESSION = 0.2


@dataclass(frozen=True, slots=True)
class Survey:
    """A pair as it is: its partitions, and the ``seconds`` that it took to read the table."""

    pair: Pair
    counts: Counts
    target: int
    found: Sequence[Found]
    seconds: float

    @property
    def done(self) -> bool:
        """Tell whether nothing is left to do."""
        return is_done(self.counts, self.target, self.found)

    @property
    def entries(self) -> int:
        """Return how many entries the table has."""
        return sum(each.entries for each in self.found)

    @property
    def misplaced(self) -> int:
        """Return how many of them are to be moved."""
        return sum(each.misplaced for each in self.found)

    @property
    def estimate(self) -> float:
        """Return about how many seconds the work takes."""
        if self.done:
            return 0.0
        writing = self.misplaced / _MOVES_PER_SECOND
        return _READS * self.seconds + writing + _SECONDS_PER_SESSION * self.target


async def survey(
    clients: Clients, pair: Pair, target: int, progress: Callable[[int, int], None]
) -> Survey:
    """Read the table of ``pair``, and return what moving it to ``target`` partitions means.

    ``progress`` is told how many of the table's partitions were read, and of how many.

    Raises:
        Refused: it must not be moved.
        NoSuchTopic: a topic does not exist.
        KafkaError: Kafka cannot be read.
        TimeoutError: it does not answer.
    """
    partitions = await partitions_of(clients, pair.topics)
    tables = [each for each in partitions if each.topic == pair.spec.table_topic]
    counts = Counts(len(partitions) - len(tables), len(tables))
    started = monotonic()
    found = []
    for done, partition in enumerate(tables):
        progress(done, len(tables))
        found.append(await _look(clients, partition, pair, target))
    progress(len(tables), len(tables))
    seconds = monotonic() - started
    check(pair, counts, target, found)
    return Survey(pair, counts, target, found, seconds)


async def _look(clients: Clients, partition: TopicPartition, pair: Pair, target: int) -> Found:
    table = Table()
    async with started_consumer(clients) as consumer:
        async for record in scan(consumer, [partition]):
            table.apply(record.key or b"", record.value)
    misplaced = sum(1 for _ in moves(table.entries, pair.home, partition.partition, target))
    return Found(table.position, len(table.entries), misplaced)
