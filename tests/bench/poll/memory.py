"""``python -m tests.bench.poll.memory WATCHES TRANSACTIONS``: what a watch takes in memory.

The watches are restored and scheduled as a shard does it, and each is visited once. Without
transactions they are Voucherry's, else Subscriply's, each of which has seen so many.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec

from handlers.provider import Watch
from receiver.observability.alarms import Alarms
from receiver.polling.entry import WatchEntry
from receiver.polling.watchlist import Watchlist
from receiver.shards.session import Batches
from receiver.shards.table import Table
from tests.bench.poll.resources import KIND
from tests.unit.receiver.polling.fakes import FakeShard

NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
INTERVAL = 3_600.0
AT_ONCE = 1_000


class _Shard(FakeShard):
    """The table of a shard without its Kafka."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Table()

    @property
    def entries(self) -> dict[bytes, bytes]:
        """Return the table as committed."""
        return self.table.entries

    async def commit(
        self,
        changes: Mapping[bytes, bytes | None],
        *,
        outputs: Batches | None = None,  # noqa: ARG002 - there are none
        offset: int | None = None,  # noqa: ARG002 - there is no input
    ) -> None:
        """Take the changes in, as a transaction does."""
        self.table.merge(changes, self.position)


async def _measure(watches: int, transactions: int) -> dict[str, float]:
    rng, shard = Random(5), _Shard()
    before = _resident()
    for number in range(watches):
        key, entry = _watch(number, transactions, rng)
        shard.table.apply(key.encode(), entry.encode())
    watchlist = Watchlist(shard, Alarms(lambda: datetime.now(UTC)))
    began = time.process_time()
    await watchlist.restore(NOW)
    took = time.process_time() - began
    await _visit_all(watchlist, watches)
    gc.collect()
    return {"bytes": (_resident() - before) / watches, "scheduled": took}


def _watch(number: int, transactions: int, rng: Random) -> tuple[str, WatchEntry]:
    at = NOW - rng.random() * INTERVAL
    entry = WatchEntry(
        NOW - rng.random() * 10 * INTERVAL,
        at + INTERVAL,
        last_polled_at=at,
        pace=1.0 + rng.random(),
        status=None if transactions else "waiting_for_confirmation",
        seen=rng.randbytes(16 * max(1, transactions)),
    )
    kind = "transactions" if transactions else KIND
    return Watch("cherries", kind, str(10_000_000 + number)).key, entry


async def _visit_all(watchlist: Watchlist, watches: int) -> None:
    now = NOW + INTERVAL
    for number in range(watches):
        key = watchlist.take_due(now)
        assert key is not None
        entry = watchlist.begin(key)
        assert entry is not None
        after = msgspec.structs.replace(
            entry, last_polled_at=now, next_poll_at=entry.next_poll_at + INTERVAL
        )
        watchlist.finish(key, entry, after, quietly=True)
        if number % AT_ONCE == 0:
            await watchlist.commit(None)
    await watchlist.commit(None)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    told = asyncio.run(_measure(int(sys.argv[1]), int(sys.argv[2])))
    sys.stdout.write(json.dumps(told) + "\n")
