"""A power cut at any moment: what the spool has confirmed is there when the machine is back."""

from pathlib import Path
from random import Random

import pytest

from receiver.spool.file import SpoolFile
from tests.sabotage.builds import (
    Build,
    spool_folder_not_synced,
    spool_never_synced,
    spool_synced_at_checkpoints,
)
from tests.unit.receiver.spool.power import MOST, Story, Witness, cuts, faults, recorded, restored
from tests.unit.receiver.spool.test_file import spooled

CHECKPOINT = "PRAGMA wal_autocheckpoint = 8"
"""SQLite moves its log into the database every few appends, instead of every thousand pages."""


def live(story: Story) -> None:
    """Append and remove, close the file, open it again, and go on."""
    rng, witness, number = Random(5), Witness(story), 0
    for _ in range(2):
        with SpoolFile(story.path, MOST) as file:
            file._database.execute(CHECKPOINT)
            for _ in range(6):
                batch = range(number, number := number + rng.randint(1, 3))
                witness.append(file, [spooled(n, rng.choice((10, 900, 6000))) for n in batch])
                if rng.random() < 0.4:
                    witness.remove(file, file.oldest(2))


def test_a_power_cut_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """After a cut at any write, sync or checkpoint, all that was appended is read back."""
    with recorded(tmp_path / "live" / "spool") as story:
        live(story)
    assert len(story.operations) > 200
    assert faults(story, tmp_path / "cuts") == []


def test_a_second_cut_while_the_first_is_recovered_from_loses_nothing(tmp_path: Path) -> None:
    """What a cut left is recovered, appended to and drained; a cut at any moment of that too."""
    with recorded(tmp_path / "live" / "spool") as story:
        live(story)
    # Where the log is long: much of what was promised is not in the database yet.
    images = [(promise, image) for _, promise, image in cuts(story) if len(promise.kept) > 5]
    for count, (promise, image) in enumerate(images[:: len(images) // 4]):
        root = restored(tmp_path / f"again-{count}", story.root, image)
        with recorded(root / "spool") as again:
            witness = Witness(again, promise)
            with SpoolFile(again.path, MOST) as file:
                file._database.execute(CHECKPOINT)
                witness.append(file, [spooled(n, 900) for n in range(100, 104)])
                witness.remove(file, file.oldest(3))
        assert faults(again, tmp_path / f"cuts-{count}") == []


@pytest.mark.parametrize(
    "build", [spool_never_synced, spool_synced_at_checkpoints, spool_folder_not_synced]
)
def test_a_spool_that_does_not_sync_is_caught(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same cuts show what a spool loses that does not wait for the disk."""
    build(monkeypatch)
    with recorded(tmp_path / "live" / "spool") as story:
        live(story)
    assert any("lost" in fault for fault in faults(story, tmp_path / "cuts"))
