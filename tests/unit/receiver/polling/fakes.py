"""Stand-ins for the Kafka side of the polling machine: a shard's partition and the inbox."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

import msgspec

from handlers.observation import Observation
from receiver.inbox import MOST_BYTES, Inbox, TooLarge
from receiver.kafka.appender import NotDurable
from receiver.polling.entry import WatchEntry
from receiver.shards.open_shard import InputRecord, OpenShard, ShardSpec
from receiver.shards.session import Batches, SessionLost
from receiver.shards.table import InputPosition
from receiver.watches.requests import Request, to_record


class FakeShard(OpenShard):
    """A partition in memory. ``entries`` outlives it: a restart is a new shard over the same."""

    def __init__(
        self,
        entries: dict[bytes, bytes] | None = None,
        *,
        partition: int = 0,
        partitions: int = 1,
        commit_seconds: float = 0.0,
    ) -> None:
        self.spec = ShardSpec("poll", "app", "requests", "watchlist")
        self.partition = partition
        self.forwarded: list[tuple[tuple[str, int], bytes | None]] = []
        self.commits: list[tuple[dict[bytes, bytes | None], int | None]] = []
        self.committed = asyncio.Condition()
        self.lost = False
        self._entries = {} if entries is None else entries
        self._position = InputPosition(0, partitions, partitions)
        self._records: list[InputRecord] = []
        self._offset = 0
        self._come = asyncio.Event()
        self._commit_seconds = commit_seconds

    @property
    def entries(self) -> dict[bytes, bytes]:
        """Return the table as committed."""
        return self._entries

    @property
    def position(self) -> InputPosition:
        """Return how far the input has been handled."""
        return self._position

    @property
    def reached(self) -> int:
        """Return the offset after all that was fetched."""
        return self._offset - len(self._records)

    @property
    def is_caught_up(self) -> bool:
        """Return whether all that was sent was fetched."""
        return not self._records

    def watch(self, key: str) -> WatchEntry | None:
        """Return a committed watch."""
        raw = self._entries.get(key.encode())
        return None if raw is None else WatchEntry.decode(raw)

    def send(self, *requests: Request | bytes) -> None:
        """Have the next fetch return these; with none it returns at once, without any."""
        for request in requests:
            value = request if isinstance(request, bytes) else to_record(request).value
            self._records.append(InputRecord(self._offset, b"", value, ()))
            self._offset += 1
        self._come.set()

    def mark(self) -> None:
        """End a transaction: a marker takes an offset, and no fetch returns it."""
        self._offset += 1
        self._come.set()

    async def fetch(self, *, wait: float, limit: int) -> Sequence[InputRecord]:
        """Return what was sent, or nothing after ``wait`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._come.wait()
        self._come.clear()
        fetched, self._records = self._records[:limit], self._records[limit:]
        return fetched

    async def commit(
        self,
        changes: Mapping[bytes, bytes | None],
        *,
        outputs: Batches | None = None,
        offset: int | None = None,
    ) -> None:
        """Take the changes in, as a transaction does; or lose the session."""
        if self._commit_seconds:
            await asyncio.sleep(self._commit_seconds)
        if self.lost:
            raise SessionLost("the session is lost")
        self.commits.append((dict(changes), offset))
        self.forwarded += [
            (place, record.value)
            for place, records in (outputs or {}).items()
            for record in records
        ]
        for key, value in changes.items():
            if value is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = value
        if offset is not None:
            self._position = msgspec.structs.replace(self._position, offset=offset)
        async with self.committed:
            self.committed.notify_all()


class FakeInbox(Inbox):
    """Keeps what is appended; ``durable`` False refuses all of it."""

    def __init__(self) -> None:
        self.appended: list[tuple[str, Observation]] = []
        self.durable = True

    async def append(self, key: str, observation: Observation) -> None:
        """Append, or say that it is not durable."""
        await asyncio.sleep(0)
        if len(observation.body) > MOST_BYTES:
            raise TooLarge("too large")
        if not self.durable:
            raise NotDurable("Kafka is away")
        self.appended.append((key, observation))

    def bodies(self) -> list[str]:
        """Return the bodies appended so far, as text."""
        return [observation.body.decode() for _, observation in self.appended]
