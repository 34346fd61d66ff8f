"""A spool file that somebody deleted: what it holds gets a name again."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from receiver.observability.alarms import Alarms
from receiver.spool.drain import BATCH
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import Spooled, SpoolFile
from receiver.spool.spool import Spool
from tests.unit.receiver.spool.test_file import MOST, spooled
from tests.unit.receiver.spool.test_spool import Kafka, drain_of

MANY = 2 * BATCH + 50
HELD = 450
KEYS = [spooled(number).key for number in range(HELD)]


async def with_a_deleted_file(folder: Path, alarms: Alarms) -> Spool:
    """Return a spool whose file was deleted, which it has noticed."""
    spool = Spool(folder, MOST, alarms)
    await spool.open()
    for number in range(HELD - 1):
        await spool.append(spooled(number))
    for part in folder.glob("*.spool*"):  # noqa: ASYNC240 - a folder of three files
        part.unlink()
    with pytest.raises(SpoolFailed, match="deleted"):
        await spool.append(spooled(HELD - 1))
    return spool


@pytest.mark.parametrize("part", ["", "-wal", "-shm", ".lock"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_deleted_takes_nothing_more(
    tmp_path: Path, part: str, replaced: bool
) -> None:
    """SQLite would go on writing to what nobody can find any more; what it holds can be read."""
    with SpoolFile(tmp_path / "a.spool", MOST) as file:
        file.append([spooled(1)])
        victim = Path(f"{file.path}{part}")
        victim.rename(tmp_path / "elsewhere")
        if replaced:
            victim.write_bytes((tmp_path / "elsewhere").read_bytes())
        with pytest.raises(SpoolFailed, match="deleted or replaced"):
            file.append([spooled(2)])
        assert [stored.spooled for stored in file.oldest(9)] == [spooled(1), spooled(2)]


def test_a_file_of_someone_else_is_not_deleted(tmp_path: Path) -> None:
    """An empty spool goes when it is closed, but not what has taken its name."""
    file = SpoolFile(tmp_path / "a.spool", MOST)
    file.path.unlink()
    file.path.write_bytes(b"the webhooks of another")
    file.close()
    assert file.path.read_bytes() == b"the webhooks of another"


async def test_what_a_deleted_file_held_is_kept_in_the_new_one(
    tmp_path: Path, alarms: Alarms
) -> None:
    """It can still be read while it is open, and is under a name again before it is closed."""
    spool, kafka = Spool(tmp_path, MOST, alarms), Kafka()
    await spool.open()
    for number in range(MANY):
        await spool.append(spooled(number))
    for part in tmp_path.glob("*.spool*"):  # noqa: ASYNC240 - a folder of three files
        part.unlink()
    with pytest.raises(SpoolFailed, match="deleted"):
        await spool.append(spooled(MANY))
    drain = drain_of(spool, kafka)
    await drain.renew()
    assert (spool.available, spool.count) == (True, MANY + 1)
    await drain._drain_own()
    assert kafka.taken == [spooled(number).key for number in range(MANY + 1)]
    await spool.close()


async def test_a_copy_that_is_deleted_while_it_is_made_loses_nothing(
    tmp_path: Path, alarms: Alarms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever deletes the spool's files may be at it still: all is copied again."""
    spool, kafka = await with_a_deleted_file(tmp_path, alarms), Kafka()
    append, copied = SpoolFile.append, 0

    def deleted_under_way(file: SpoolFile, records: Sequence[Spooled]) -> None:
        nonlocal copied
        copied += len(records)
        if copied > len(records):
            for part in tmp_path.glob("*.spool*"):
                part.unlink()
        append(file, records)

    with monkeypatch.context() as patch:
        patch.setattr(SpoolFile, "append", deleted_under_way)
        assert not await spool.renew()
    assert await spool.renew()
    await drain_of(spool, kafka)._drain_own()
    assert kafka.taken == KEYS
    await spool.close()


async def test_a_second_file_that_is_deleted_is_copied_from_its_first_row(
    tmp_path: Path, alarms: Alarms
) -> None:
    """How far one was copied says nothing of the next."""
    spool, kafka = await with_a_deleted_file(tmp_path, alarms), Kafka()
    assert await spool.renew()
    for part in tmp_path.glob("*.spool*"):  # noqa: ASYNC240 - the same
        part.unlink()
    with pytest.raises(SpoolFailed, match="deleted"):
        await spool.append(spooled(HELD))
    assert await spool.renew()
    await drain_of(spool, kafka)._drain_own()
    assert kafka.taken == [*KEYS, spooled(HELD).key]
    await spool.close()
