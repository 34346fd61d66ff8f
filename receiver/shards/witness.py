"""The witness: the last input record that was handled, to tell the input from another of its name.

An offset means something in one log alone. A cluster restored from a backup, or a topic made anew,
hands the same offsets out again: as soon as it has grown past the old position, a shard that trusts
the bare number would skip what nobody handled.
"""

import asyncio
from zlib import crc32

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

_POLL_MS = 250


class Witness(msgspec.Struct, frozen=True):
    """What is remembered of a record: ``timestamp`` in milliseconds, CRC-32 of key and value."""

    offset: int
    timestamp: int
    checksum: int

    @classmethod
    def of(cls, record: ConsumerRecord) -> "Witness":
        """Return the witness of a record."""
        checksum = crc32(record.value or b"", crc32(record.key or b""))
        return cls(record.offset, record.timestamp, checksum)


async def is_confirmed(
    consumer: AIOKafkaConsumer,
    partition: TopicPartition,
    witness: Witness | None,
    *,
    first: int,
    patience: float,
) -> bool:
    """Tell whether ``partition`` still holds the very record of ``witness``.

    What its retention deleted, below the offset ``first``, can deny nothing. The consumer is
    assigned to the partition; where it stands afterwards is undefined.

    Raises:
        OffsetOutOfRangeError: the partition ends before the witness.
        KafkaError: it cannot be read.
        TimeoutError: neither the record nor anything after it came within ``patience`` seconds.
    """
    if witness is None or witness.offset < first:
        return True
    consumer.seek(partition, witness.offset)
    async with asyncio.timeout(patience):
        while True:
            fetched = await consumer.getmany(partition, timeout_ms=_POLL_MS, max_records=1)
            for records in fetched.values():
                return Witness.of(records[0]) == witness
            # Records that were handled never turn into the markers that a position passes unseen.
            if await consumer.position(partition) > witness.offset:
                return False
