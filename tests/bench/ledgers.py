"""Ledgers of any size, written as fast as a broker takes them, straight into their topic."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from random import Random

from aiokafka import AIOKafkaProducer

from handlers.entry import Entry, Published
from receiver.shards.table import InputPosition

_ID_BYTES = 16
_FACT_IDS = (b"\x11" * _ID_BYTES, b"\x22" * _ID_BYTES)
_SEEN_AT = 1_767_225_600_123_000
_PAID_AT = 1_767_225_000_000_000
_IN_A_BATCH = 4_000


def resources(count: int, seed: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the ledger's key and value of so many invoices, every other one paid: 1.5 facts each.

    An invoice's id has 16 letters; those of facts are random.
    """
    random = Random(seed)
    created = Published(_FACT_IDS[0], "created", None, _SEEN_AT, 1_000)
    paid = Published(_FACT_IDS[1], "paid", _PAID_AT, _SEEN_AT, 1_000)
    # Cut where the ids belong: to encode each entry would take longer than to read it.
    before, after = Entry("invoice", (created,)).encode().split(_FACT_IDS[0])
    both = Entry("invoice", (created, paid)).encode().split(_FACT_IDS[0])[1]
    between, last = both.split(_FACT_IDS[1])
    for number in range(count):
        ids = random.randbytes(2 * _ID_BYTES)
        value = before + ids[:_ID_BYTES]
        value += between + ids[_ID_BYTES:] + last if number & 1 else after
        yield b"smartpay/shop/invoice/%08x%08x" % (seed, number), value


async def fill_table(
    producer: AIOKafkaProducer, topic: str, partitions: int, count: int, seed: int = 1
) -> None:
    """Write a table of ``count`` resources, as if routers of ``partitions`` partitions had.

    Their input's position is its beginning.

    Raises:
        KafkaError: Kafka did not take something.
    """
    sizes = [count // partitions + (each < count % partitions) for each in range(partitions)]
    made = resources(count, seed)
    for partition, size in enumerate(sizes):
        await _write(producer, topic, partition, islice(made, size))
        position = InputPosition(0, partitions, partitions).record()
        await _write(producer, topic, partition, iter([(position.key, position.value or b"")]))


async def _write(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Iterator[tuple[bytes, bytes]]
) -> None:
    sent: asyncio.Future[object] | None = None
    while some := list(islice(records, _IN_A_BATCH)):
        batch = producer.create_batch()
        for key, value in some:
            assert batch.append(timestamp=None, key=key, value=value) is not None
        # One is under way while the next is made.
        if sent is not None:
            await sent
        sent = await producer.send_batch(batch, topic, partition=partition)
    if sent is not None:
        await sent
