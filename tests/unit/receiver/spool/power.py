"""The life of a spool file under record, and the verdict on every power cut in it."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import pytest

from receiver.spool.errors import SpoolFailed
from receiver.spool.file import Spooled, SpoolFile, Stored
from receiver.spool.parts import SUFFIX
from tests.unit.receiver.spool.disk import Created, Disk, FolderSynced, Operation, Survives
from tests.unit.receiver.spool.recording import Recorder

MOST = 1 << 30
"""More bytes than any of these files gets."""

_SEEDS = range(2)
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Promise:
    """From operation number ``since`` on: what must be found, and all that may be, by key."""

    since: int
    kept: frozenset[bytes]
    known: Mapping[bytes, Spooled]


NOTHING = Promise(0, frozenset(), {})


@dataclass(slots=True)
class Story:
    """What was done to the disk below ``root``, and what the file ``path`` promised meanwhile."""

    root: Path
    path: Path
    operations: list[Operation] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)


class Witness:
    """Uses a spool file as the spool does, and notes what may be relied upon when.

    ``before`` is what was promised before the file was opened.
    """

    def __init__(self, story: Story, before: Promise = NOTHING) -> None:
        self._story = story
        self._known = dict(before.known)
        self._kept = before.kept
        self._promise()

    def append(self, file: SpoolFile, records: Sequence[Spooled]) -> None:
        """Append, and rely upon it as soon as the file says so."""
        self._known |= {record.key: record for record in records}
        self._promise()
        file.append(records)
        self._promise({record.key for record in records})

    def remove(self, file: SpoolFile, stored: Sequence[Stored]) -> None:
        """Remove, and rely upon it no longer."""
        self._kept -= {each.spooled.key for each in stored}
        self._promise()
        file.remove(stored)

    def _promise(self, more: Iterable[bytes] = ()) -> None:
        self._kept |= set(more)
        since = len(self._story.operations)
        self._story.promises.append(Promise(since, self._kept, dict(self._known)))


@contextmanager
def recorded(folder: Path) -> Iterator[Story]:
    """Record what happens to a spool file in ``folder``, which is made as the spool makes it."""
    story = Story(folder.parent, folder / f"tested{SUFFIX}")
    note = story.operations.append
    recorder = Recorder(folder.parent, note)
    note(Created(folder, None))
    if folder.exists():
        note(FolderSynced(folder.parent))
        for path in folder.iterdir():
            recorder.note_found(path)
    folder.mkdir(parents=True, exist_ok=True)
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        for place in (folder, folder.parent):
            if os.path.samestat(os.fstat(descriptor), place.stat()):
                note(FolderSynced(place))

    with pytest.MonkeyPatch.context() as patched, recorder.recording():
        patched.setattr(os, "fsync", fsync)
        yield story


def cuts(story: Story) -> Iterator[tuple[int, Promise, dict[Path, bytes]]]:
    """Yield each disk that a cut after some operation can leave, and what was promised by then.

    The first cut is where the first promise is given. Of what was not synced nothing survives, or
    all of it, or some of it, chosen by seed.
    """
    disk, promises = Disk(story.root), iter(story.promises)
    promise, following = next(promises), next(promises, None)
    before: list[object] = []
    for operation in story.operations[: promise.since]:
        disk.apply(operation)
    for number in range(promise.since, len(story.operations) + 1):
        while following is not None and following.since <= number:
            promise, following = following, next(promises, None)
        images = [disk.after_a_cut(survives) for survives in _chances(number)]
        yield from ((number, promise, image) for image in images if (promise, image) not in before)
        before = [(promise, image) for image in images]
        if number < len(story.operations):
            disk.apply(story.operations[number])


def _chances(number: int) -> list[Survives]:
    some = [Random(f"{seed}/{number}") for seed in _SEEDS]
    return [lambda: False, lambda: True, *(partial(_toss, rng) for rng in some)]


def _toss(rng: Random) -> bool:
    return rng.random() < 0.5


def restored(folder: Path, root: Path, image: Mapping[Path, bytes]) -> Path:
    """Write the files of ``image``, which were below ``root``, below ``folder`` instead."""
    for path, content in image.items():
        place = folder / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


def fault(path: Path, promise: Promise) -> str | None:
    """Open the spool file at ``path`` as the next process does; return what was lost, if any."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with SpoolFile(path, MOST) as file:
            # There are hundreds of these, and no power is cut while they are read.
            file._database.execute("PRAGMA synchronous = OFF")
            found = {stored.spooled.key: stored.spooled for stored in file.oldest(_ALL)}
    except SpoolFailed as error:
        return f"unreadable: {error}"
    lost = promise.kept - found.keys()
    changed = {key for key, spooled in found.items() if promise.known.get(key) != spooled}
    return f"lost {sorted(lost)}, changed {sorted(changed)}" if lost or changed else None


def faults(story: Story, folder: Path) -> list[str]:
    """Cut the power after every operation of ``story``; return what was lost, and when."""
    found = []
    for count, (number, promise, image) in enumerate(cuts(story)):
        place = restored(folder / str(count), story.root, image)
        why = fault(place / story.path.relative_to(story.root), promise)
        if why is not None:
            found.append(f"after operation {number}: {why}")
        shutil.rmtree(place)
    return found
