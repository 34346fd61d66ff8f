"""What this host's spool holds about subjects, in the files that no process uses."""

from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from handlers.observation import Observation
from receiver.explaining.evidence import Spooled
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SpoolFile
from receiver.spool.leftover import ReadOnlyFile, open_leftover
from receiver.spool.listing import spool_files
from receiver.spool.locking import InUse

_ENDLESS = 1 << 62


@dataclass(slots=True)
class SpoolSearch:
    """What was found by inbox key, and what could not be looked into: files, or the folder."""

    found: defaultdict[bytes, list[Spooled]] = field(default_factory=lambda: defaultdict(list))
    in_use: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def of_bytes(self, digest: str) -> "SpoolSearch":
        """Return the same of the observations alone whose bytes have this SHA-256."""
        found: defaultdict[bytes, list[Spooled]] = defaultdict(list)
        for key, spooled in self.found.items():
            for each in spooled:
                if each.digest == digest:
                    found[key].append(each)
        return SpoolSearch(found, self.in_use, self.unreadable)


def search_spool(folder: Path, inbox_keys: Container[bytes]) -> SpoolSearch:
    """Look for observations of these inbox keys in the spool files in ``folder``. It blocks."""
    search = SpoolSearch()
    try:
        paths = spool_files(folder)
    except SpoolFailed as error:
        search.unreadable.append(str(error))
        return search
    for path in paths:
        try:
            file = open_leftover(path, _ENDLESS)
        except InUse:
            search.in_use.append(path.name)
            continue
        except SpoolFailed as error:
            search.unreadable.append(str(error))
            continue
        try:
            _search_file(file, inbox_keys, search)
            if isinstance(file, ReadOnlyFile) and not file.is_whole:
                search.unreadable.append(str(file.why))
        except SpoolFailed as error:
            search.unreadable.append(str(error))
        finally:
            file.close(delete_if_empty=False)
    return search


def _search_file(file: SpoolFile, inbox_keys: Container[bytes], search: SpoolSearch) -> None:
    for spooled in file:
        if spooled.key in inbox_keys:
            observation = Observation.from_record(spooled.headers, b"")
            digest = sha256(spooled.body).hexdigest()
            search.found[spooled.key].append(
                Spooled(file.path.name, observation.received_at, observation.topic, digest)
            )
