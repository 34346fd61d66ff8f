"""The drain's pace: replicas come back one after another, and live webhooks stay quick."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from receiver.observability.alarms import Alarms
from receiver.spool.errors import SpoolFailed
from receiver.spool.spool import Spool
from tests.unit.receiver.spool.clock import timed_drain_of
from tests.unit.receiver.spool.test_file import spooled
from tests.unit.receiver.spool.test_spool import Kafka, drain_of

MOST = 1 << 30
MANY = 4000
AT_ONCE = 500
"""Records of the drain that may be ahead of a live webhook's, however many wait on the disk."""


def closed_spool(folder: Path) -> Spool:
    """Return a spool without a file."""
    return Spool(folder, MOST, Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC)))


async def test_replicas_that_lost_kafka_together_do_not_come_back_together(tmp_path: Path) -> None:
    """Each looks about once a second; of many, no tenth of that second has a quarter."""
    looks: list[float] = []
    spool = closed_spool(tmp_path)
    for seed in range(100):
        drain, clock = timed_drain_of(spool, Kafka(), seed)
        await clock.run(drain, seconds=60)
        assert 40 <= len(clock.slept) <= 80
        assert all(0.5 <= seconds <= 1.5 for seconds in clock.slept)
        looks.append(clock.slept[0])
    await spool.close()
    tenths = [sum(look // 0.1 == tenth for look in looks) for tenth in range(20)]
    assert max(tenths) < len(looks) / 4


class Queue:
    """A broker that takes one record after another, the drain's and live ones, as they came."""

    available = True

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None] | None] = deque()
        self.ahead: list[int] = []
        self.taken = 0

    async def append_all(
        self, _: str, records: Sequence[tuple[object, ...]]
    ) -> list[BaseException | None]:
        """Have the drain's records wait; return once all are taken."""
        taken = [asyncio.get_running_loop().create_future() for _ in records]
        self._waiting.extend(taken)
        await asyncio.wait(taken)
        return [None for _ in records]

    def live(self) -> None:
        """Have a live webhook wait behind what is there now."""
        self.ahead.append(len(self._waiting))
        self._waiting.append(None)

    def take(self, count: int) -> None:
        """Take so many of those that wait."""
        for _ in range(min(count, len(self._waiting))):
            record = self._waiting.popleft()
            self.taken += 1
            if record is not None:
                record.set_result(None)


async def test_a_large_spool_has_a_bounded_share(tmp_path: Path) -> None:
    """A live webhook waits for five hundred of the spool's at most, of however many there are."""
    spool, queue = closed_spool(tmp_path), Queue()
    await spool.open()
    await asyncio.gather(*(spool.append(spooled(number)) for number in range(MANY)))
    drain = drain_of(spool, queue)
    draining = asyncio.create_task(drain._drain_own())
    while not draining.done():
        queue.live()
        queue.take(50)
        await asyncio.sleep(0)
    assert spool.count == 0
    assert queue.taken >= MANY
    live = 1
    assert max(queue.ahead) <= AT_ONCE + live
    await spool.close()


async def test_a_spool_that_fails_has_a_new_file_tried_at_once(tmp_path: Path) -> None:
    """Webhooks are refused until there is one; a disk that takes none is not tried all the time."""
    spool = closed_spool(tmp_path)
    await spool.open()
    drain, clock = timed_drain_of(spool, Kafka())
    failed: list[float] = []
    tried: list[float] = []

    async def renew() -> bool:
        if spool.problem:
            tried.append(clock.time)
        return False

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        if not failed and clock.time > 12:
            failed.append(clock.time)
            spool.fail(SpoolFailed("somebody deleted it"))

    spool.renew = renew  # type: ignore[method-assign]
    drain._sleep = sleep
    await clock.run(drain, seconds=60)
    assert tried[0] - failed[0] <= 1.5
    assert all(10 <= then - before < 12 for before, then in pairwise(tried))
    assert len(tried) > 3
    await spool.close()
