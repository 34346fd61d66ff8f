"""What one transaction of a router will write, as it grows."""

from collections.abc import Awaitable, Callable, Mapping

from receiver.kafka.clients import Record
from receiver.kafka.partitioning import Hashes
from receiver.routing.tally import Tally
from receiver.shards.session import Batches


class Batch:
    """The changes and outputs of one transaction, and what is to be told once it is committed.

    ``changes`` are to the ledger, None forgets a key.
    """

    def __init__(self, entries: Mapping[bytes, bytes]) -> None:
        self.changes: dict[bytes, bytes | None] = {}
        self.tally = Tally()
        self._entries = entries
        self._hashes = Hashes()
        self._outputs: dict[str, list[tuple[bytes, Record]]] = {}
        self._placed: dict[tuple[str, int], list[Record]] = {}

    def get(self, key: bytes, /) -> bytes | None:
        """Return what the ledger will have under ``key``: later records must see what earlier did.

        None if it will have nothing.
        """
        changes = self.changes
        return changes[key] if key in changes else self._entries.get(key)

    def partition_for(self, key: bytes, partitions: int) -> int:
        """Return the partition of ``key`` among so many."""
        return self._hashes.partition_for(key, partitions)

    def add(self, topic: str, partition_key: bytes, record: Record) -> None:
        """Have ``record`` written to the partition of ``topic`` that ``partition_key`` chooses."""
        self._outputs.setdefault(topic, []).append((partition_key, record))

    def place(self, topic: str, partition: int, record: Record) -> None:
        """Have ``record`` written to this very partition."""
        self._placed.setdefault((topic, partition), []).append(record)

    async def outputs(self, partitions: Callable[[str], Awaitable[int]]) -> Batches:
        """Return all records by topic and partition; ``partitions`` says how many a topic has.

        It is asked here, once for each topic, and not for each record.

        Raises:
            Exception: as ``partitions``.
        """
        for topic, records in self._outputs.items():
            count = await partitions(topic)
            placed: list[list[Record]] = [[] for _ in range(count)]
            for key, record in records:
                placed[self.partition_for(key, count)].append(record)
            for partition, each in enumerate(placed):
                if each:
                    self._placed.setdefault((topic, partition), []).extend(each)
        self._outputs.clear()
        return self._placed
