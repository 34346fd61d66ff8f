"""A snapshot: the last record of each key in a compacted topic, read once and from outside.

It serves people who look. A broker that was frozen may answer with an old end, so a shard never
restores from a snapshot: it has its barrier.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from receiver.kafka.clients import Clients, KafkaHeaders, partition_for
from receiver.kafka.reading import NoSuchTopic, partitions_of, started_consumer
from receiver.kafka.scan import scan
from receiver.kafka.strays import strays_are_errors

_T = TypeVar("_T")
OF_THE_TABLE = b"\x00"
"""What the keys begin with that a shard keeps for itself: barrier, position, counts."""


class SnapshotFailed(Exception):
    """The topic could not be read; ``str()`` says why."""


@contextmanager
def reading(topic: str) -> Iterator[None]:
    """Turn whatever goes wrong while ``topic`` is read into :class:`SnapshotFailed`."""
    try:
        with strays_are_errors():
            yield
    except NoSuchTopic as error:
        raise SnapshotFailed(str(error)) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise SnapshotFailed(f"{topic} cannot be read: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Row:
    """The last record of a key."""

    key: bytes
    value: bytes
    headers: KafkaHeaders

    def header(self, name: str) -> str:
        """Return a header as text, empty if it is not there or null."""
        return (dict(self.headers).get(name) or b"").decode(errors="replace")


async def read_snapshot(
    clients: Clients,
    topic: str,
    view: Callable[[Row], _T | None],
    *,
    partition_key: bytes | None = None,
) -> dict[bytes, _T]:
    """Return what ``view`` makes of the last record of each key that is not deleted.

    Only committed records are read, up to the end that the topic has at the call. ``view`` is
    called as records are read, so that large values need not be kept; what it answers with None is
    left out. With a ``partition_key`` only its partition is read.

    Raises:
        SnapshotFailed: the topic does not exist, or Kafka cannot be read.
    """
    with reading(topic):
        partitions = await partitions_of(clients, [topic])
        if partition_key is not None:
            partitions = [partitions[partition_for(partition_key, len(partitions))]]
        async with started_consumer(clients) as consumer:
            return await _read(consumer, partitions, view)


async def _read(
    consumer: AIOKafkaConsumer,
    partitions: Sequence[TopicPartition],
    view: Callable[[Row], _T | None],
) -> dict[bytes, _T]:
    found: dict[bytes, _T] = {}
    async for record in scan(consumer, partitions):
        key = record.key or b""
        row = None if record.value is None else Row(key, record.value, list(record.headers))
        seen = None if row is None or key.startswith(OF_THE_TABLE) else view(row)
        if seen is None:
            found.pop(key, None)
        else:
            found[key] = seen
    return found
