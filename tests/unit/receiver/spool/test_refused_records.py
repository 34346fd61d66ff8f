"""What Kafka refuses for good, though it takes all else: it stays, is told, and is tried again."""

from pathlib import Path

import pytest

from handlers.observation import Position
from receiver.kafka.appender import RecordRefused
from receiver.observability.alarms import Alarms
from receiver.spool.drain import BATCH
from receiver.spool.errors import SpoolFailed, SpoolFull
from receiver.spool.spool import Spool
from tests.unit.receiver.spool.test_drain_faults import MANY, left_behind
from tests.unit.receiver.spool.test_file import MOST, spooled
from tests.unit.receiver.spool.test_spool import Kafka, drain_of


class Choosy(Kafka):
    """A cluster that takes no record as large as some are."""

    refuses: frozenset[bytes] = frozenset()

    async def append(self, topic: str, *args: object, **named: object) -> Position:
        """Take a record, unless it is one of those."""
        if args[0] in self.refuses:
            raise RecordRefused(f"{topic} takes no record as large")
        return await super().append(topic, *args, **named)


async def test_what_kafka_refuses_for_good_holds_nothing_else_up(
    tmp_path: Path, alarms: Alarms
) -> None:
    """All others are sent, an alarm says so, and it goes once the topic takes it."""
    left_behind(tmp_path, "a", 3)
    spool, kafka = Spool(tmp_path, MOST, alarms), Choosy()
    kafka.refuses = frozenset(spooled(number).key for number in range(BATCH))
    await spool.open()
    for number in range(MANY):
        await spool.append(spooled(number))
    drain = drain_of(spool, kafka)
    await drain._drain_own()
    assert kafka.taken == [spooled(number).key for number in range(BATCH, MANY)]
    assert [alarm.code for alarm in alarms.present] == ["inbox-refuses"]
    assert spool.count == BATCH
    kafka.refuses = frozenset()
    drain._try_again()
    await drain._drain_own()
    assert len(kafka.taken) == MANY
    assert list(alarms.present) == []
    await spool.close()


async def test_what_is_refused_amid_others_stays_on_the_disk_and_they_do_not(
    tmp_path: Path, alarms: Alarms
) -> None:
    """What is removed is what Kafka has, record by record, though it goes by ranges of rows."""
    refused = [3, 4, 7]
    spool, kafka = Spool(tmp_path, MOST, alarms), Choosy()
    kafka.refuses = frozenset(spooled(number).key for number in refused)
    await spool.open()
    for number in range(10):
        await spool.append(spooled(number))
    await drain_of(spool, kafka)._drain_own()
    left = await spool.oldest(MANY)
    assert [stored.spooled for stored in left] == [spooled(number) for number in refused]
    assert spool.count == len(refused)
    assert spool.bytes == sum(stored.size for stored in left)
    await spool.close()


async def test_a_file_with_a_record_that_is_refused_keeps_no_other_waiting(
    tmp_path: Path, alarms: Alarms
) -> None:
    """It is set aside with an alarm, and stays; the next file is drained."""
    kept, other = (left_behind(tmp_path, name, count) for name, count in (("a", 3), ("b", 2)))
    spool, kafka = Spool(tmp_path, MOST, alarms), Choosy()
    kafka.refuses = frozenset({spooled(2).key})
    await spool.open()
    await drain_of(spool, kafka).drain_orphans()
    assert len(kafka.taken) == 4
    assert [alarm.code for alarm in alarms.present] == ["spool-damaged"]
    assert (kept.exists(), other.exists()) == (True, False)
    await spool.close()


async def test_a_new_file_is_neither_full_nor_holds_what_is_refused(
    tmp_path: Path, alarms: Alarms
) -> None:
    """What was said of the file before it ends with it: else receivers stay unready for ever."""
    spool, kafka = Spool(tmp_path, 1, alarms), Choosy()
    kafka.refuses = frozenset({spooled(0).key})
    await spool.open()
    with pytest.raises(SpoolFull):
        await spool.append(spooled(0))
    spool.tell_refused("the inbox takes no record as large")
    spool.fail(SpoolFailed("the disk is full"))
    await drain_of(spool, kafka).renew()
    assert spool.available
    assert list(alarms.present) == []
    await spool.close()
