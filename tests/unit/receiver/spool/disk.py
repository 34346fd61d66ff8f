"""A disk in memory whose power can be cut: what was not synced is lost, or torn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

SECTOR = 512
"""Bytes that a disk writes whole or not at all."""

Survives: TypeAlias = Callable[[], bool]
"""Decides, for one sector or one change of a folder that was not synced, whether it survives."""


@dataclass(frozen=True, slots=True)
class Created:
    """A file, under a number that no other one gets, or a folder (None), was made at ``path``."""

    path: Path
    file: int | None


@dataclass(frozen=True, slots=True)
class Unlinked:
    """The name ``path`` was removed."""

    path: Path


@dataclass(frozen=True, slots=True)
class Wrote:
    """``data`` was written to a file at ``offset`` bytes."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    """A file was cut, or enlarged, to ``size`` bytes."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """All that was done to a file's content is on the disk."""

    file: int


@dataclass(frozen=True, slots=True)
class FolderSynced:
    """All names in a folder are on the disk as they are."""

    path: Path


Operation: TypeAlias = Created | Unlinked | Wrote | Truncated | Synced | FolderSynced


@dataclass(slots=True)
class _File:
    synced: bytearray = field(default_factory=bytearray)
    pending: list[Wrote | Truncated] = field(default_factory=list)

    def sync(self) -> None:
        self.synced = self.after_a_cut(lambda: True)
        self.pending.clear()

    def after_a_cut(self, survives: Survives) -> bytearray:
        content = bytearray(self.synced)
        for change in self.pending:
            if isinstance(change, Wrote):
                for start in range(0, len(change.data), SECTOR):
                    if survives():
                        piece = change.data[start : start + SECTOR]
                        _resize(content, max(len(content), change.offset + start + len(piece)))
                        content[change.offset + start : change.offset + start + len(piece)] = piece
            elif survives():
                _resize(content, change.size)
        return content


def _resize(content: bytearray, size: int) -> None:
    del content[size:]
    content.extend(bytes(size - len(content)))


class Disk:
    """The files and folders below ``root``, as the operations so far left them on the disk.

    Content and names are synced apart, as POSIX has it: a synced file whose folder was not synced
    may be without a name. Changes of a folder reach the disk in their order.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[int, _File] = {}
        self._names: dict[Path, int | None] = {}
        self._renamed: list[Created | Unlinked] = []

    def apply(self, operation: Operation) -> None:
        """Take one more operation into account."""
        match operation:
            case Created(_, file):
                self._renamed.append(operation)
                if file is not None:
                    self._files[file] = _File()
            case Unlinked():
                self._renamed.append(operation)
            case Wrote(file) | Truncated(file):
                self._files[file].pending.append(operation)
            case Synced(file):
                self._files[file].sync()
            case FolderSynced(path):
                self._sync_folder(path)

    def after_a_cut(self, survives: Survives) -> dict[Path, bytes]:
        """Return the files that are found, by path, when the power is cut now."""
        names = dict(self._names)
        for change in self._renamed:
            if not survives():
                break
            _rename(names, change)
        return {
            path: bytes(self._files[file].after_a_cut(survives))
            for path, file in names.items()
            if file is not None and self._reachable(path, names)
        }

    def _sync_folder(self, folder: Path) -> None:
        changes: Sequence[Created | Unlinked] = self._renamed
        self._renamed = [change for change in changes if change.path.parent != folder]
        for change in changes:
            if change.path.parent == folder:
                _rename(self._names, change)

    def _reachable(self, path: Path, names: dict[Path, int | None]) -> bool:
        folder = path.parent
        return folder == self._root or (folder in names and self._reachable(folder, names))


def _rename(names: dict[Path, int | None], change: Created | Unlinked) -> None:
    if isinstance(change, Created):
        names[change.path] = change.file
    else:
        names.pop(change.path, None)
