"""Looking for observations in the spool files that nobody uses."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from handlers.observation import Observation, Origin
from receiver.explaining.spooled import search_spool
from receiver.spool.file import Spooled, SpoolFile

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def write(file: SpoolFile, key: str, body: bytes) -> None:
    """Spool an observation."""
    observation = Observation("shop", Origin.WEBHOOK, "invoice/paid", NOW, body)
    file.append([Spooled(key.encode(), observation.headers(), body)])


def test_only_files_without_an_owner_are_looked_into(tmp_path: Path) -> None:
    """What is found is left there; files in use or damaged are named."""
    with SpoolFile(tmp_path / "left.spool", 1 << 20) as left:
        write(left, "wanted", b"one")
        write(left, "other", b"two")
    (tmp_path / "damaged.spool").write_bytes(b"this is no database" * 1000)
    with SpoolFile(tmp_path / "used.spool", 1 << 20) as used:
        write(used, "wanted", b"three")
        for _ in range(2):
            search = search_spool(tmp_path, {b"wanted"})
            [found] = search.found[b"wanted"]
            assert (found.file, found.digest) == ("left.spool", sha256(b"one").hexdigest())
            assert (found.topic, found.received_at) == ("invoice/paid", NOW)
            assert list(search.found) == [b"wanted"]
            assert search.in_use == ["used.spool"]
            assert len(search.unreadable) == 1


def test_no_folder_holds_nothing(tmp_path: Path) -> None:
    """A host that never spooled has no folder."""
    search = search_spool(tmp_path / "missing", {b"wanted"})
    assert (dict(search.found), search.in_use, search.unreadable) == ({}, [], [])


def test_a_folder_that_cannot_be_looked_into_is_told(tmp_path: Path) -> None:
    """What was searched nowhere must not be taken for what was not found."""
    (tmp_path / "spool").touch()
    search = search_spool(tmp_path / "spool", {b"wanted"})
    [told] = search.unreadable
    assert told.startswith(f"{tmp_path / 'spool'}: Not a directory; ")
