"""A disk that fails: SQLite is told what the real one would tell it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.unit.receiver.spool.disk import Operation, Synced, Truncated, Wrote
from tests.unit.receiver.spool.recording import Recorder

CHANGES = (Wrote, Truncated)
SYNCS = (Synced,)

# https://www.sqlite.org/rescode.html
READ_ONLY = 8
WRITE_FAILED = 10 | 3 << 8
SYNC_FAILED = 10 | 4 << 8
FULL = 13


@dataclass
class Faults:
    """What fails now: nothing, until ``code`` is one of SQLite's errors."""

    operations: tuple[type[Operation], ...] = CHANGES
    code: int = 0

    def refuse(self, operation: Operation) -> int:
        """Return how an operation fails, 0 if it does not."""
        return self.code if isinstance(operation, self.operations) else 0


@contextmanager
def failing_disk(root: Path) -> Iterator[Faults]:
    """Have the disk below ``root`` fail as told, for files that are opened and closed meanwhile."""
    faults = Faults()
    with Recorder(root, lambda _: None, faults.refuse).recording():
        yield faults
