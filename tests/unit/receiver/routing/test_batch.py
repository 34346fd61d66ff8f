"""What one transaction of a router will write."""

from receiver.kafka.clients import Record, partition_for
from receiver.registration.signs import Announced
from receiver.routing.batch import Batch
from receiver.watches.requests import from_value, partition_key

KEYS = [f"smartpay/shop/invoice/{number}".encode() for number in range(50)]


async def test_the_partitions_of_a_topic_are_asked_for_once() -> None:
    """Not for each record; and each record goes where its key belongs, in its order."""
    asked: list[str] = []

    async def partitions(topic: str) -> int:
        asked.append(topic)
        return {"events": 7, "requests": 3}[topic]

    batch = Batch({})
    for key in KEYS * 2:
        batch.add("events", key, Record(key, str(len(asked)).encode()))
        batch.add("requests", b"shop", Record(key, None))
    outputs = await batch.outputs(partitions)
    assert sorted(asked) == ["events", "requests"]
    for partition in range(7):
        ours = [key for key in KEYS * 2 if partition_for(key, 7) == partition]
        assert [record.key for record in outputs["events", partition]] == ours
    requests = outputs["requests", partition_for(b"shop", 3)]
    assert [record.key for record in requests] == KEYS * 2


async def test_signs_of_life_share_a_record_for_each_partition() -> None:
    """Each goes where its account is looked after, and no record has more than a hundred."""
    asked: list[str] = []

    async def partitions(topic: str) -> int:
        asked.append(topic)
        return 3

    signs = [Announced(f"shop-{number}", "invoice/paid", number) for number in range(600)]
    batch = Batch({})
    batch.add("requests", b"shop", Record(b"look-up", None))
    batch.add_signs_of_life("requests", signs)
    outputs = await batch.outputs(partitions)
    assert asked == ["requests"]
    for partition in range(3):
        records = [each for each in outputs["requests", partition] if each.value is not None]
        together = [from_value(record.value or b"") for record in records]
        ours = [s for s in signs if partition_for(partition_key(s.account), 3) == partition]
        assert [sign for each in together for sign in each] == ours
        assert max(map(len, together)) <= 100
        assert len(together) == -(-len(ours) // 100)


async def test_what_has_its_place_stays_there() -> None:
    """A record that is handed on goes to the partition named, whatever its key says."""
    batch = Batch({})
    batch.place("inbox", 5, Record(b"key", b"value"))

    async def partitions(topic: str) -> int:
        raise AssertionError(topic)

    assert await batch.outputs(partitions) == {("inbox", 5): [Record(b"key", b"value")]}


def test_later_records_see_what_earlier_ones_change() -> None:
    """The ledger is as the transaction will leave it: entered, replaced, or forgotten."""
    batch = Batch({b"a": b"1", b"b": b"1", b"c": b"1"})
    batch.changes |= {b"a": b"2", b"b": None, b"d": b"1"}
    found = [batch.get(key) for key in (b"a", b"b", b"c", b"d", b"e")]
    assert found == [b"2", None, b"1", b"1", None]
