"""The spool files in a folder, as an operator wants to see them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from receiver.spool.errors import SpoolFailed
from receiver.spool.file import SUFFIX, InUse, SpoolFile

_ENDLESS = 1 << 62


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file: ``in use`` by a living process, ``left behind`` by a dead one, or ``damaged``."""

    file: str
    state: str
    observations: int | None = None
    bytes: int | None = None
    why: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as the command prints it."""
        return asdict(self)


def listed(folder: Path) -> Iterator[ListedFile]:
    """Yield the spool files in ``folder``; only what nobody uses can be looked into."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            file = SpoolFile(path, _ENDLESS)
        except InUse:
            yield ListedFile(path.name, "in use", why="its process drains it: see its /readyz")
        except SpoolFailed as error:
            yield ListedFile(path.name, "damaged", why=str(error))
        else:
            yield ListedFile(path.name, "left behind", file.count, file.bytes)
            file.close(delete_if_empty=False)
