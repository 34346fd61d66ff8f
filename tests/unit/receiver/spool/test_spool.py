"""The spool, its drain and the intake: durable somewhere, or refused."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import cast

import pytest

from handlers.observation import Observation, Origin, Position
from receiver.inbox import Inbox
from receiver.intake import Intake
from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.batching import Told
from receiver.observability.alarms import Alarms
from receiver.spool.drain import Drain
from receiver.spool.errors import SpoolFailed, SpoolFull
from receiver.spool.file import SpoolFile
from receiver.spool.spool import Spool
from tests.unit.receiver.intakes import taken
from tests.unit.receiver.spool.test_file import spooled

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OBSERVATION = Observation("shop", Origin.WEBHOOK, "invoice/created", NOW, b"{}")


class Kafka:
    """An appender and an inbox that take records, or not."""

    def __init__(self, *, takes: int = 1_000_000) -> None:
        self.takes = takes
        self.taken: list[bytes] = []

    @property
    def available(self) -> bool:
        """Tell whether the next record is taken."""
        return len(self.taken) < self.takes

    def begin(self, _: str, observation: Observation, told: Told) -> None:
        """Take an observation, from an intake."""
        if not self.available:
            raise NotDurable("Kafka is away")
        self.taken.append(observation.body)
        told(len(self.taken))

    async def append(self, topic: str, *args: object, **_: object) -> Position:
        """Take a record, from a drain."""
        await asyncio.sleep(0)
        if not self.available:
            raise NotDurable("Kafka is away")
        self.taken.append(cast("bytes", args[0]))
        return Position(topic, 0, len(self.taken))

    async def append_all(
        self, topic: str, records: Sequence[tuple[object, ...]]
    ) -> list[BaseException | None]:
        """Take records side by side, from a drain."""
        appends = (self.append(topic, *record) for record in records)
        outcomes = await asyncio.gather(*appends, return_exceptions=True)
        return [each if isinstance(each, BaseException) else None for each in outcomes]


@pytest.fixture
async def spool(tmp_path: Path, alarms: Alarms) -> AsyncIterator[Spool]:
    """Return an open spool."""
    opened = Spool(tmp_path, 1 << 20, alarms)
    await opened.open()
    yield opened
    await opened.close()


def drain_of(spool: Spool, kafka: object) -> Drain:
    """Return a drain of ``spool`` into ``kafka``."""
    return Drain(spool, cast("Appender", kafka), "inbox", Random(1))


async def test_appends_that_come_together_are_committed_together(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand appends at once are all on the disk after a few commits."""
    commits: list[int] = []
    original = SpoolFile.append

    def counted(file: SpoolFile, records: object) -> None:
        commits.append(len(records))  # type: ignore[arg-type]
        original(file, records)  # type: ignore[arg-type]

    monkeypatch.setattr(SpoolFile, "append", counted)
    await asyncio.gather(*(spool.append(spooled(number)) for number in range(1000)))
    assert spool.count == 1000
    assert sum(commits) == 1000
    assert len(commits) <= 10


async def test_a_cancelled_append_is_written_all_the_same(spool: Spool) -> None:
    """A client that hangs up does not take its neighbours' observations with it."""
    tasks = [asyncio.create_task(spool.append(spooled(number))) for number in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert spool.count == 3


async def test_after_one_failed_write_nothing_is_accepted(
    spool: Spool, alarms: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An I/O error fails the append, sounds the alarm, and no later append succeeds."""

    def fail(_file: SpoolFile, _records: object) -> None:
        raise SpoolFailed("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(SpoolFile, "append", fail)
        with pytest.raises(SpoolFailed):
            await spool.append(spooled(1))
    with pytest.raises(SpoolFailed):
        await spool.append(spooled(2))
    assert not spool.available
    assert [alarm.code for alarm in alarms.present] == ["spool-failed"]


async def test_a_full_spool_refuses_and_recovers(tmp_path: Path, alarms: Alarms) -> None:
    """Beyond its size it refuses with an alarm; once drained it takes again, the alarm is over."""
    spool = Spool(tmp_path, 500, alarms)
    await spool.open()
    await spool.append(spooled(1, 400))
    with pytest.raises(SpoolFull):
        await spool.append(spooled(2, 400))
    assert [alarm.code for alarm in alarms.present] == ["spool-full"]
    assert not spool.available
    await spool.remove(await spool.oldest(10))
    assert spool.available
    await spool.append(spooled(3, 400))
    assert alarms.present == []
    await spool.remove(await spool.oldest(10))
    await spool.close()


async def test_a_folder_that_cannot_be_used_is_an_alarm_and_not_a_crash(
    tmp_path: Path, alarms: Alarms
) -> None:
    """A spool without a folder says why, and refuses everything."""
    (tmp_path / "file").write_text("in the way")
    spool = Spool(tmp_path / "file" / "spool", 500, alarms)
    await spool.open()
    assert not spool.available
    with pytest.raises(SpoolFailed):
        await spool.append(spooled(1))
    await spool.close()


async def test_a_spool_left_behind_is_drained_and_deleted(tmp_path: Path, spool: Spool) -> None:
    """What a dead process spooled reaches the inbox, oldest first, and its file goes."""
    left = SpoolFile(tmp_path / "dead.spool", 1 << 20)
    left.append([spooled(number) for number in range(450)])
    left.close()
    kafka = Kafka()
    assert await drain_of(spool, kafka).drain_orphans() == 450
    assert kafka.taken == [spooled(number).key for number in range(450)]
    assert not (tmp_path / "dead.spool").exists()


async def test_a_drain_that_is_interrupted_keeps_the_rest(tmp_path: Path, spool: Spool) -> None:
    """What Kafka did not acknowledge stays in the file, and is drained the next time."""
    left = SpoolFile(tmp_path / "dead.spool", 1 << 20)
    left.append([spooled(number) for number in range(10)])
    left.close()
    kafka = Kafka(takes=4)
    with pytest.raises(NotDurable):
        await drain_of(spool, kafka).drain_orphans()
    assert (tmp_path / "dead.spool").exists()
    kafka.takes = 100
    assert await drain_of(spool, kafka).drain_orphans() == 6
    assert sorted(kafka.taken) == sorted(spooled(number).key for number in range(10))


async def test_a_damaged_spool_is_told_and_does_not_hold_up_the_others(
    tmp_path: Path, spool: Spool, alarms: Alarms
) -> None:
    """A file that cannot be read is left alone with an alarm; the next one is drained."""
    (tmp_path / "a-damaged.spool").write_bytes(b"no database" * 1000)
    left = SpoolFile(tmp_path / "b-good.spool", 1 << 20)
    left.append([spooled(1)])
    left.close()
    assert await drain_of(spool, Kafka()).drain_orphans() == 1
    assert [alarm.code for alarm in alarms.present] == ["spool-damaged"]
    assert (tmp_path / "a-damaged.spool").exists()


async def test_a_spool_that_fails_while_it_is_drained_does_not_hold_up_the_others(
    tmp_path: Path, spool: Spool, alarms: Alarms
) -> None:
    """Damage that shows only when rows are read sets the file aside; the next is drained."""
    for name in ("a-damaged", "b-good"):
        left = SpoolFile(tmp_path / f"{name}.spool", 1 << 20)
        left.append([spooled(1)])
        left.close()
    with closing(sqlite3.connect(tmp_path / "a-damaged.spool")) as database, database:
        database.execute("UPDATE spooled SET headers = x'c1'")
    assert await drain_of(spool, Kafka()).drain_orphans() == 1
    assert [alarm.code for alarm in alarms.present] == ["spool-damaged"]
    assert (tmp_path / "a-damaged.spool").exists()


async def test_kafka_comes_first(spool: Spool) -> None:
    """While Kafka acknowledges, nothing is spooled."""
    kafka = Kafka()
    assert await taken(Intake(cast("Inbox", kafka), spool), OBSERVATION)
    assert spool.count == 0


async def test_what_kafka_does_not_take_is_on_the_disk(spool: Spool) -> None:
    """With Kafka away an accepted observation is in the spool, with its key and headers."""
    assert await taken(Intake(cast("Inbox", Kafka(takes=0)), spool), OBSERVATION) is False
    [stored] = await spool.oldest(10)
    assert stored.spooled.key == b"key"
    restored = Observation.from_record(stored.spooled.headers, stored.spooled.body)
    assert restored == OBSERVATION
    await spool.remove([stored])


async def test_what_nobody_takes_is_refused(tmp_path: Path, alarms: Alarms) -> None:
    """With Kafka away and the spool full the observation is refused, never accepted."""
    spool = Spool(tmp_path, 1, alarms)
    await spool.open()
    with pytest.raises(NotDurable, match="Kafka is away"):
        await taken(Intake(cast("Inbox", Kafka(takes=0)), spool), OBSERVATION)
    await spool.close()
