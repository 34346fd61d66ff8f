"""What several tests of the spool begin with."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from receiver.observability.alarms import Alarms
from tests.unit.receiver.spool.failing import Faults, failing_disk

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Faults]:
    """Return a disk that fails when told to."""
    with failing_disk(tmp_path) as faults:
        yield faults


@pytest.fixture
def alarms() -> Alarms:
    """Return no alarms yet."""
    return Alarms(lambda: NOW)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that any user can reach."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)
