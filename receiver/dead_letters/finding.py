"""Finding dead letters among any number of them, with little of each in memory."""

from collections import Counter
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from aiokafka import ConsumerRecord, TopicPartition

from handlers.clock import rfc3339
from receiver.dead_letters.advice import advice
from receiver.dead_letters.criteria import Criteria, last_at
from receiver.dead_letters.letter import DeadLetter
from receiver.kafka.clients import Clients
from receiver.kafka.reading import partitions_of, started_consumer
from receiver.kafka.scan import scan
from receiver.kafka.snapshot import Row, reading


@dataclass(frozen=True, slots=True)
class Found:
    """A letter, where its last record stands, how often it came and when last."""

    id: str
    reason: str
    count: int
    last_at: datetime
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class OfReason:
    """All letters that match and have the same reason: how many, and when the latest last came."""

    reason: str
    letters: int
    last_at: datetime

    def as_json(self) -> dict[str, object]:
        """Return it as ``/v1/dead-letters`` answers, with what to do."""
        return {
            "reason": self.reason,
            "letters": self.letters,
            "last_at": rfc3339(self.last_at),
            **asdict(advice(self.reason)),
        }


@dataclass(frozen=True, slots=True)
class Listing:
    """Some letters, the latest last, and how many more there are like them.

    ``reasons`` are those of all of them, the most frequent first.
    """

    letters: Sequence[DeadLetter]
    more: int
    reasons: Sequence[OfReason] = ()

    def as_json(self) -> dict[str, object]:
        """Return them as ``/v1/dead-letters`` answers."""
        return {
            "dead_letters": [letter.as_json() for letter in self.letters],
            "more": self.more,
            "reasons": [each.as_json() for each in self.reasons],
        }


async def find_letters(clients: Clients, topic: str, criteria: Criteria) -> list[Found]:
    """Return the letters that match, the latest last.

    Raises:
        SnapshotFailed: the topic cannot be read.
    """
    found: dict[bytes, Found] = {}
    with reading(topic):
        partitions = await partitions_of(clients, [topic])
        async with started_consumer(clients) as consumer:
            async for record in scan(consumer, partitions):
                _take(record, criteria, found)
    return sorted(found.values(), key=lambda letter: (letter.last_at, letter.id))


async def read_letters(
    clients: Clients, topic: str, letters: Collection[Found]
) -> AsyncGenerator[Row, None]:
    """Yield the records of ``letters``, bodies and all, one after the other in no certain order.

    A letter that has gone since is left out.

    Raises:
        SnapshotFailed: the topic cannot be read.
    """
    wanted = {letter.id.encode(): letter for letter in letters}
    if not wanted:
        return
    with reading(topic):
        async with started_consumer(clients) as consumer:
            partitions = [
                TopicPartition(topic, number) for number in {letter.partition for letter in letters}
            ]
            async for record in scan(consumer, partitions):
                letter = wanted.get(record.key or b"")
                # Later records of a letter hold the same bytes; earlier ones may be of one that
                # had gone before it came again.
                if letter is None or record.offset < letter.offset:
                    continue
                del wanted[record.key]
                if record.value is not None:
                    yield Row(record.key, record.value, list(record.headers))
                if not wanted:
                    return


async def list_letters(clients: Clients, topic: str, criteria: Criteria, limit: int) -> Listing:
    """Return the ``limit`` latest of the letters that match.

    Raises:
        SnapshotFailed: the topic cannot be read.
    """
    return await describe(clients, topic, await find_letters(clients, topic, criteria), limit)


async def describe(clients: Clients, topic: str, found: Sequence[Found], limit: int) -> Listing:
    """Return the ``limit`` last of ``found``, each with all that it says about itself.

    Raises:
        SnapshotFailed: the topic cannot be read.
    """
    chosen = found[-limit:]
    letters = [DeadLetter.of(row) async for row in read_letters(clients, topic, chosen)]
    letters.sort(key=lambda letter: (last_at(letter), letter.id))
    return Listing(letters, len(found) - len(chosen), _reasons(found))


def _reasons(found: Sequence[Found]) -> list[OfReason]:
    latest = {letter.reason: letter.last_at for letter in found}
    counts = Counter(letter.reason for letter in found)
    return [OfReason(reason, count, latest[reason]) for reason, count in counts.most_common()]


def _take(record: ConsumerRecord, criteria: Criteria, found: dict[bytes, Found]) -> None:
    key = record.key or b""
    found.pop(key, None)
    if record.value is None:
        return
    letter = DeadLetter.of(Row(key, record.value, list(record.headers)))
    if criteria.match(letter):
        found[key] = Found(
            letter.id,
            letter.reason,
            letter.count,
            last_at(letter),
            record.partition,
            record.offset,
        )
