"""The spool files in a folder, as an operator wants to see them."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from receiver.failures import without_path
from receiver.spool.errors import SpoolFailed
from receiver.spool.leftover import ReadOnlyFile, measured, open_leftover
from receiver.spool.locking import InUse
from receiver.spool.parts import SUFFIX

_ENDLESS = 1 << 62


class State(StrEnum):
    """Whose a spool file is."""

    IN_USE = "in use"
    """A living process's."""
    LEFT_BEHIND = "left behind"
    """A dead one's."""
    DAMAGED = "damaged"
    """Nobody's who could read it."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file; ``why`` says what is wrong with it or its disk, and of one in use who drains it."""

    file: str
    state: State
    observations: int | None = None
    bytes: int | None = None
    why: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as the command prints it."""
        return asdict(self)


def spool_files(folder: Path) -> list[Path]:
    """Return the spool files in ``folder``, by name; none where the folder does not exist.

    Raises:
        SpoolFailed: it cannot be looked into, so that nobody knows what waits there.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries if entry.name.endswith(SUFFIX))
    except FileNotFoundError:
        return []
    except OSError as error:
        told = "check spool.directory, and run this as the service's user"
        raise SpoolFailed(f"{folder}: {without_path(error)}; {told}") from error


def listed(folder: Path) -> Iterator[ListedFile]:
    """Yield the spool files in ``folder``.

    Raises:
        SpoolFailed: the folder cannot be looked into.
    """
    for path in spool_files(folder):
        try:
            file = open_leftover(path, _ENDLESS)
        except InUse:
            yield _in_use(path)
        except SpoolFailed as error:
            yield ListedFile(path.name, State.DAMAGED, why=_without(path, error))
        else:
            why = ""
            if isinstance(file, ReadOnlyFile):
                why = f"it can only be read: {_without(path, file.why)}"
            yield ListedFile(path.name, State.LEFT_BEHIND, file.count, file.bytes, why)
            file.close(delete_if_empty=False)


def _in_use(path: Path) -> ListedFile:
    """Count what waits in a file of a living process, as one more reader of its log."""
    why = "its process drains it: see its /readyz"
    try:
        count, size = measured(path)
    except SpoolFailed as error:
        why += f"; it cannot be counted here: {_without(path, error)}"
        return ListedFile(path.name, State.IN_USE, why=why)
    return ListedFile(path.name, State.IN_USE, count, size, why)


def _without(path: Path, error: SpoolFailed) -> str:
    """Return what is wrong with a file without its name, which stands beside it."""
    return str(error).removeprefix(f"{path}: ")
