"""The log of a killed process, with a bit turned in it, or cut off by the kill."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.explaining.spooled import search_spool
from receiver.observability.alarms import Alarms
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile
from receiver.spool.leftover import ReadOnlyFile, open_leftover
from receiver.spool.log import check_frames
from receiver.spool.spool import Spool
from tests.unit.receiver.spool.test_file import MOST, spooled
from tests.unit.receiver.spool.test_spool import Kafka, drain_of

COUNT = 5
HEADER, FRAME = 32, 24 + 4096
COMMIT = 2
"""Frames of a small append: its row, and which number it has."""
FIELDS = {"page": 3, "size": 7, "salt": 11, "sum": 18, "content": 2000}
"""Bytes of a frame."""
EDGES = (0, 1, 23, 24, 25, 2000, FRAME - 1)
"""Where in a frame a log is cut off."""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Return a file whose process was killed after ``COUNT`` appends."""
    return left(tmp_path / "left", tmp_path / "live")


@pytest.fixture
def alarms() -> Alarms:
    """Return no alarms yet."""
    return Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
async def spool(tmp_path: Path, alarms: Alarms) -> AsyncIterator[Spool]:
    """Return a spool that only drains what others left."""
    spool = Spool(tmp_path / "left", MOST, alarms)
    yield spool
    await spool.close()


def left(folder: Path, live: Path, *statements: str, size: int = 10) -> Path:
    """Leave a file as a kill does after ``COUNT`` appends, with ``statements`` after the third."""
    live.mkdir()
    with SpoolFile(live / "a.spool", MOST) as file:
        for number in range(COUNT):
            file.append([spooled(number, size)])
            if number == 2:
                for statement in statements:
                    file._database.execute(statement).fetchall()
        shutil.copytree(live, folder)
    return folder / "a.spool"


def log_of(path: Path) -> Path:
    """Return where a file's log is."""
    return Path(f"{path}-wal")


def frames(path: Path) -> int:
    """Return how many frames the log has."""
    return (log_of(path).stat().st_size - HEADER) // FRAME


def turn_a_bit(path: Path, offset: int) -> dict[Path, bytes]:
    """Damage the log; return what is on the disk then, but for what SQLite makes to read it."""
    content = bytearray(log_of(path).read_bytes())
    content[offset] ^= 1
    log_of(path).write_bytes(content)
    return on_disk(path)


def on_disk(path: Path) -> dict[Path, bytes]:
    """Return the file and its log."""
    return {part: part.read_bytes() for part in (path, log_of(path))}


def keys(count: int) -> list[bytes]:
    """Return the keys of the first so many observations."""
    return [spooled(number).key for number in range(count)]


@pytest.mark.parametrize("offset", [3, 11, 20, 27, 31])
async def test_a_log_with_a_damaged_header_is_kept_with_an_alarm(
    killed: Path, spool: Spool, alarms: Alarms, offset: int
) -> None:
    """All of it is unreadable to SQLite, which would take it for empty."""
    before = turn_a_bit(killed, offset)
    drain = drain_of(spool, Kafka())
    for _ in range(2):
        assert await drain.drain_orphans() == 0
        assert [alarm.code for alarm in alarms.present] == ["spool-damaged"]
        spool.orphans.try_again()
    assert on_disk(killed) == before


@pytest.mark.parametrize("field", FIELDS)
async def test_what_is_before_a_damaged_frame_is_sent_and_all_of_it_is_kept(
    tmp_path: Path, alarms: Alarms, field: str
) -> None:
    """Be it any frame but those of the last commit; the alarm stays."""
    whole = left(tmp_path / "left", tmp_path / "live")
    last = frames(whole) - COMMIT
    sent = []
    for number in range(last):
        folder = tmp_path / str(number)
        shutil.copytree(whole.parent, folder)
        path = folder / whole.name
        before = turn_a_bit(path, HEADER + number * FRAME + FIELDS[field])
        spool, kafka = Spool(folder, MOST, alarms), Kafka()
        await drain_of(spool, kafka).drain_orphans()
        await spool.close()
        [alarm] = alarms.present
        assert (alarm.code, "its log is damaged" in alarm.why) == ("spool-damaged", True), number
        assert on_disk(path) == before
        assert kafka.taken == keys(len(kafka.taken))
        sent.append(len(kafka.taken))
    assert sent == sorted(sent)
    assert (sent[0], sent[-1]) == (0, COUNT - 2)


async def test_an_emptied_file_with_a_damaged_log_is_an_alarm(
    killed: Path, spool: Spool, alarms: Alarms
) -> None:
    """Nothing can be read of it, and the alarm stays: there was more."""
    with SpoolFile(killed, MOST) as file:
        file.remove(file.oldest(COUNT))
        file._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        for number in range(COUNT):
            file.append([spooled(number)])
        content = on_disk(killed)
        file.remove(file.oldest(COUNT))
    for part, data in content.items():
        part.write_bytes(data)
    before = turn_a_bit(killed, HEADER + FIELDS["content"])
    file = open_leftover(killed, MOST, to_empty=True)
    assert isinstance(file, ReadOnlyFile)
    assert (file.count, file.is_whole) == (0, False)
    file.close()
    await drain_of(spool, Kafka()).drain_orphans()
    assert [alarm.code for alarm in alarms.present] == ["spool-damaged"]
    assert on_disk(killed) == before


def test_who_looks_for_an_observation_is_told_of_a_damaged_log(killed: Path) -> None:
    """It may be in what cannot be read."""
    turn_a_bit(killed, HEADER + (frames(killed) - 2 * COMMIT) * FRAME + FIELDS["content"])
    search = search_spool(killed.parent, {b"another"})
    [why] = search.unreadable
    assert "its log is damaged" in why


@pytest.mark.parametrize("size", [10, 9000])
@pytest.mark.parametrize("statements", [[], ["PRAGMA wal_checkpoint"]])
def test_a_kill_at_any_byte_is_no_damage(tmp_path: Path, statements: list[str], size: int) -> None:
    """Cut off anywhere, or, in a log that began anew, with what was there before behind it."""
    path = left(tmp_path / "left", tmp_path / "live", *statements, size=size)
    content = log_of(path).read_bytes()
    check_frames(path)
    ends = {HEADER + number * FRAME + more for number in range(frames(path) + 1) for more in EDGES}
    for end in sorted(each for each in {0, 1, HEADER - 1} | ends if each <= len(content)):
        log_of(path).write_bytes(content[:end])
        check_frames(path)


def test_a_kill_in_a_log_that_began_anew_is_no_damage(tmp_path: Path) -> None:
    """At any byte of a write, what was there before the log began anew stands behind it."""
    path = tmp_path / "a.spool"
    with SpoolFile(path, MOST) as file:
        for number in range(20):
            file.append([spooled(number, 3000)])
        file._database.execute("PRAGMA wal_checkpoint").fetchall()
        content = log_of(path).read_bytes()
        for number in range(3):
            file.append([spooled(number, 9000)])
            before, content = content, log_of(path).read_bytes()
            changed = [n for n in range(len(content)) if content[n : n + 1] != before[n : n + 1]]
            assert len(before) > changed[-1]
            copy = tmp_path / "copy.spool"
            # The header is written, and synced, before anything else.
            for end in range(max(HEADER, changed[0]), changed[-1] + 2, 97):
                log_of(copy).write_bytes(content[:end] + before[end:])
                check_frames(copy)


def test_a_torn_commit_that_a_shorter_one_was_written_over_is_no_damage(tmp_path: Path) -> None:
    """What is left of it stands behind the later one, with the same salts, and is no commit."""
    path = left(tmp_path / "left", tmp_path / "live", size=20_000)
    content = bytearray(log_of(path).read_bytes())
    # A power cut lost the first frame of the last commit, and not those that follow.
    first = next(n for n in range(frames(path) - 1, 0, -1) if _commits(content, n - 1))
    start = HEADER + first * FRAME
    content[start : start + FRAME] = bytes(FRAME)
    log_of(path).write_bytes(content)
    for number in range(COUNT, COUNT + 2):
        with SpoolFile(path, MOST) as file:
            assert file.count == number - 1
            file.append([spooled(number)])
            after = on_disk(path)
        assert len(after[log_of(path)]) == len(content)
        for part, data in after.items():
            part.write_bytes(data)


def _commits(content: bytearray, number: int) -> bool:
    start = HEADER + number * FRAME
    return content[start + 4 : start + 8] != bytes(4)


def test_a_log_that_is_no_log_is_damaged(killed: Path) -> None:
    """Nothing is guessed about what somebody else wrote there."""
    log_of(killed).write_bytes(b"no log" * 100)
    with pytest.raises(SpoolFailed, match="the header is not valid"):
        SpoolFile(killed, MOST)
