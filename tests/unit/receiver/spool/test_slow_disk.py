"""A disk that hangs: nobody waits for it, nothing piles up before it, and it may come back."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from handlers.observation import Observation, Origin
from receiver.inbox import Inbox
from receiver.intake import Intake
from receiver.kafka.appender import NotDurable
from receiver.observability.alarms import Alarms
from receiver.spool.errors import SpoolSlow
from receiver.spool.file import Spooled, SpoolFile
from receiver.spool.spool import Spool
from tests.unit.receiver.intakes import taken
from tests.unit.receiver.spool.test_file import spooled
from tests.unit.receiver.spool.test_spool import Kafka

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WITHIN = 20.0
SLOWEST = 0.1


@dataclass
class Disk:
    """The writer's way to the disk, which a test can block, and what was committed at once."""

    free: threading.Event = field(default_factory=threading.Event)
    commits: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def wrap(
        self, append: Callable[[SpoolFile, Sequence[Spooled]], None]
    ) -> Callable[[SpoolFile, Sequence[Spooled]], None]:
        """Return ``append`` as it is on this disk."""

        def wait_and_append(file: SpoolFile, records: Sequence[Spooled]) -> None:
            assert self.free.wait(WITHIN)
            self.commits.append(len(records))
            self.sizes.append(sum(len(record.body) for record in records))
            append(file, records)

        return wait_and_append


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Return a disk that hangs until it is freed."""
    hanging = Disk()
    monkeypatch.setattr(SpoolFile, "append", hanging.wrap(SpoolFile.append))
    return hanging


@pytest.fixture
def alarms() -> Alarms:
    """Return no alarms yet."""
    return Alarms(lambda: NOW)


@pytest.fixture
async def spool(tmp_path: Path, alarms: Alarms, disk: Disk) -> AsyncIterator[Spool]:
    """Return an open spool on that disk."""
    opened = Spool(tmp_path, 1 << 30, alarms, slowest=SLOWEST)
    await opened.open()
    yield opened
    disk.free.set()
    await opened.close()


async def refused(spool: Spool, count: int) -> list[BaseException | None]:
    """Append ``count`` records at once; return what became of each, once the disk is found slow."""
    async with asyncio.timeout(WITHIN):
        appends = (spool.append(spooled(number)) for number in range(count))
        return await asyncio.gather(*appends, return_exceptions=True)


async def recovered(spool: Spool) -> None:
    """Wait until the spool takes records again, however long a disk that works may take."""
    spool._commits._slowest = WITHIN
    deadline = time.monotonic() + WITHIN
    while not spool.available:
        assert time.monotonic() < deadline, "the spool never recovered"
        await asyncio.sleep(0.01)


async def test_nobody_waits_for_a_disk_that_hangs(spool: Spool, alarms: Alarms) -> None:
    """Whoever waits is refused after the limit, whoever comes then at once; it is an alarm."""
    outcomes = await refused(spool, 500)
    assert {type(outcome) for outcome in outcomes} == {SpoolSlow}
    assert [alarm.code for alarm in alarms.present] == ["spool-slow"]
    assert not spool.available
    late = asyncio.create_task(spool.append(spooled(1)))
    await asyncio.sleep(0)
    assert late.done()
    assert isinstance(late.exception(), SpoolSlow)


async def test_what_is_refused_does_not_stay_in_memory(spool: Spool, disk: Disk) -> None:
    """Only the commit that hangs is written when the disk goes on; the rest was forgotten."""
    await refused(spool, 500)
    disk.free.set()
    await recovered(spool)
    assert disk.commits == [spool.count]
    assert 0 < spool.count <= 200


async def test_a_disk_that_comes_back_is_used_again(
    spool: Spool, disk: Disk, alarms: Alarms
) -> None:
    """When the commit that hung has ended, records are taken and the alarm is over."""
    await refused(spool, 1)
    disk.free.set()
    await recovered(spool)
    await spool.append(spooled(2))
    assert alarms.present == []
    assert [stored.spooled.key for stored in await spool.oldest(10)] == [
        spooled(0).key,
        spooled(2).key,
    ]


async def test_the_webhook_is_refused_in_time(spool: Spool) -> None:
    """With Kafka away and the disk hanging, the observation is not durable, and its sender told."""
    intake = Intake(cast("Inbox", Kafka(takes=0)), spool)
    observation = Observation("shop", Origin.WEBHOOK, "invoice/created", NOW, b"{}")
    async with asyncio.timeout(WITHIN):
        with pytest.raises(NotDurable, match="the disk has not written"):
            await taken(intake, observation)


async def test_a_commit_is_bounded_by_its_bytes(tmp_path: Path, disk: Disk, alarms: Alarms) -> None:
    """Large records do not make a large commit: it is what a hanging disk keeps in memory."""
    disk.free.set()
    spool = Spool(tmp_path, 1 << 30, alarms, slowest=10 * WITHIN)
    await spool.open()
    await asyncio.gather(*(spool.append(spooled(number, 400_000)) for number in range(40)))
    assert max(disk.sizes) <= 4 * 2**20
    assert sum(disk.commits) == spool.count == 40
    await spool.close()
