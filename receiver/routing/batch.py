"""What one transaction of a router will write, as it grows."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

from receiver.kafka.partitioning import Hashes
from receiver.registration.signs import Announced
from receiver.routing.tally import Tally
from receiver.shards.session import Batches, Writable
from receiver.watches.requests import home_of, together


class Batch:
    """The changes and outputs of one transaction, and what is to be told once it is committed.

    ``changes`` are to the ledger, None forgets a key. ``partition_for`` tells the partition of a
    key among so many, and hashes each key once.
    """

    def __init__(self, entries: Mapping[bytes, bytes]) -> None:
        self.changes: dict[bytes, bytes | None] = {}
        self.tally = Tally()
        self.partition_for = Hashes().partition_for
        self._entries = entries
        self._outputs: defaultdict[str, list[tuple[bytes, Sequence[Writable]]]] = defaultdict(list)
        self._signs_of_life: defaultdict[str, list[Announced]] = defaultdict(list)
        self._placed: defaultdict[tuple[str, int], list[Writable]] = defaultdict(list)

    def get(self, key: bytes, /) -> bytes | None:
        """Return what the ledger will have under ``key``: later records must see what earlier did.

        None if it will have nothing.
        """
        changes = self.changes
        return changes[key] if key in changes else self._entries.get(key)

    def add(self, topic: str, partition_key: bytes, *records: Writable) -> None:
        """Have records written to the partition of ``topic`` that ``partition_key`` chooses."""
        self._outputs[topic].append((partition_key, records))

    def add_signs_of_life(self, topic: str, signs: Sequence[Announced]) -> None:
        """Have signs written to the partitions of their accounts, those of a partition together."""
        self._signs_of_life[topic] += signs

    def place(self, topic: str, partition: int, record: Writable) -> None:
        """Have ``record`` written to this very partition."""
        self._placed[topic, partition].append(record)

    async def outputs(self, partitions: Callable[[str], Awaitable[int]]) -> Batches:
        """Return all records by topic and partition; ``partitions`` says how many a topic has.

        It is asked here, once for each topic, and not for each record.

        Raises:
            Exception: as ``partitions``.
        """
        for topic in dict.fromkeys((*self._outputs, *self._signs_of_life)):
            count = await partitions(topic)
            self._place_records(topic, count)
            self._place_signs_of_life(topic, count)
        return self._placed

    def _place_records(self, topic: str, partitions: int) -> None:
        placed: list[list[Writable]] = [[] for _ in range(partitions)]
        for key, records in self._outputs.pop(topic, ()):
            placed[self.partition_for(key, partitions)] += records
        for partition, each in enumerate(placed):
            if each:
                self._placed[topic, partition] += each

    def _place_signs_of_life(self, topic: str, partitions: int) -> None:
        placed: defaultdict[int, list[Announced]] = defaultdict(list)
        for sign in self._signs_of_life.pop(topic, ()):
            placed[home_of(sign.account, partitions)].append(sign)
        for partition, each in placed.items():
            self._placed[topic, partition] += together(each)
