"""Finding a few among many records, as dead letters and positions are found."""

from datetime import UTC, datetime, timedelta

from handlers.clock import rfc3339
from receiver.dead_letters.criteria import Criteria
from receiver.dead_letters.finding import find_letters, list_letters, read_letters
from receiver.kafka.clients import KafkaHeaders, Record, partition_for
from receiver.kafka.reading import partitions_of, started_consumer
from receiver.kafka.scan import scan
from receiver.shards.positions import input_positions
from receiver.shards.table import InputPosition
from tests.kafka.cluster import Cluster
from tests.kafka.shards import clients
from tests.kafka.test_snapshot import PARTITIONS, written

START = datetime(2026, 1, 1, tzinfo=UTC)
MANY = 3_000


def letter(number: int, account: str = "shop", count: int = 1) -> Record:
    """Return a letter's record; later numbers came later."""
    last_at = rfc3339(START + timedelta(seconds=number))
    told = {"account": account, "reason": "no-id", "count": str(count), "last-at": last_at}
    headers: KafkaHeaders = [(f"payevents-{name}", text.encode()) for name, text in told.items()]
    return Record(b"l%d" % number, b"body of %d" % number, headers)


async def test_few_of_many_letters_are_listed(kafka_cluster: Cluster, topic_prefix: str) -> None:
    """The latest are shown, the latest last, and the others are counted."""
    topic = topic_prefix + "letters"
    await written(
        kafka_cluster,
        topic,
        [letter(number) for number in range(MANY)],
        [Record(b"l%d" % (MANY - 1), None), letter(0, count=2), letter(MANY, account="other")],
    )
    listing = await list_letters(clients(kafka_cluster), topic, Criteria(account="shop"), 2)
    assert [shown.id for shown in listing.letters] == [f"l{MANY - 3}", f"l{MANY - 2}"]
    assert listing.more == MANY - 3
    assert [(each.reason, each.letters) for each in listing.reasons] == [("no-id", MANY - 1)]
    [first] = await find_letters(clients(kafka_cluster), topic, Criteria(ids=frozenset(["l0"])))
    assert first.count == 2


async def test_a_letter_is_read_as_it_is_now(kafka_cluster: Cluster, topic_prefix: str) -> None:
    """A letter that had gone and came again is read once, from where it was found on."""
    topic = topic_prefix + "letters"
    await written(kafka_cluster, topic, [letter(1)], [Record(b"l1", None)], [letter(1), letter(2)])
    found = await find_letters(clients(kafka_cluster), topic, Criteria())
    rows = [row async for row in read_letters(clients(kafka_cluster), topic, found)]
    assert sorted(row.value for row in rows) == [b"body of 1", b"body of 2"]
    none = [row async for row in read_letters(clients(kafka_cluster), topic, [])]
    assert none == []


async def test_the_input_position_is_found_at_the_end(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """The last position of each partition counts; one that never committed has none."""
    topic = topic_prefix + "table"
    key = InputPosition(7, PARTITIONS, PARTITIONS).record().key
    await written(
        kafka_cluster,
        topic,
        [InputPosition(7, PARTITIONS, PARTITIONS).record()],
        [Record(key, InputPosition(8, PARTITIONS, PARTITIONS).record().value)],
    )
    positions = await input_positions(clients(kafka_cluster), topic, range(PARTITIONS))
    assert list(positions.values()) == [8]
    assert await input_positions(clients(kafka_cluster), topic, []) == {}


async def test_a_position_that_was_pushed_far_from_the_end_is_found(
    kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """As by the barriers of a shard that starts and refuses for days, and writes nothing else."""
    topic = topic_prefix + "table"
    position = InputPosition(7, PARTITIONS, PARTITIONS).record()
    place = partition_for(position.key, PARTITIONS)
    keys = (b"%d" % number for number in range(20_000))
    beside = [Record(key, b"x") for key in keys if partition_for(key, PARTITIONS) == place]
    assert len(beside) > 5_000
    await written(kafka_cluster, topic, [position], beside)
    positions = await input_positions(clients(kafka_cluster), topic, range(PARTITIONS))
    assert positions == {place: 7}


async def test_a_scan_begins_where_it_is_told(kafka_cluster: Cluster, topic_prefix: str) -> None:
    """From the beginning, from a time, or so many offsets before the end, with its progress."""
    topic = topic_prefix + "log"
    await written(kafka_cluster, topic, [Record(b"key", b"%d" % number) for number in range(100)])
    partitions = await partitions_of(clients(kafka_cluster), [topic])
    progress: list[tuple[int, int]] = []
    async with started_consumer(clients(kafka_cluster)) as consumer:
        told = scan(consumer, partitions, progress=lambda done, of: progress.append((done, of)))
        records = [record async for record in told]
        assert [record.value for record in records] == [b"%d" % number for number in range(100)]
        # A transaction's marker has an offset too.
        assert progress[-1] == (101, 101)
        last = [record.value async for record in scan(consumer, partitions, last=3)]
        assert last == [b"98", b"99"]
        then = datetime.fromtimestamp(records[0].timestamp / 1000, UTC)
        before = scan(consumer, partitions, since=then - timedelta(hours=1))
        assert len([record async for record in before]) == 100
        after = scan(consumer, partitions, since=then + timedelta(hours=1))
        assert [record async for record in after] == []
