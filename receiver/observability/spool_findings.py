"""What the doctor finds where the spool is kept: a folder, its disk, and the room on it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from config.machine import SpoolSettings
from receiver.failures import without_path
from receiver.observability.findings import Finding, Verdict
from receiver.spool.filesystem import file_system, is_memory, is_network

_MOVE = "set spool.directory to a folder on a disk of this machine that outlives the process"


def examine_spool(settings: SpoolSettings) -> list[Finding]:
    """Return what is found; on the disk nothing is left behind, nor is the folder made."""
    folder = settings.directory
    try:
        # What is not there yet is made by the first process that receives, where it can be.
        place = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        _try(place, is_folder=place == folder)
        free = shutil.disk_usage(place).free
    except OSError as error:
        told = f"{folder} cannot be used: {without_path(error)}"
        remedy = f"where webhooks are received {_MOVE}, and run this as the service's user"
        return [Finding("spool", Verdict.WRONG, told, remedy)]
    kind = file_system(folder)
    amiss = list(_amiss(folder, kind, free, settings.max_bytes))
    on = f" on {kind}" if kind else ""
    return amiss or [Finding("spool", Verdict.OK, f"{folder}{on}, {_mebibytes(free)} free")]


def _try(place: Path, *, is_folder: bool) -> None:
    """Write and sync, or make a folder where the spool's is to be made."""
    if is_folder:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"?")
            file.flush()
            os.fsync(file.fileno())
    else:
        Path(tempfile.mkdtemp(dir=place)).rmdir()


def _amiss(folder: Path, kind: str, free: int, max_bytes: int) -> Iterator[Finding]:
    if is_network(kind):
        told = f"{folder} is on {kind}, which is refused: SQLite loses data over a network"
        yield Finding("spool", Verdict.WRONG, told, _MOVE)
    if is_memory(kind):
        told = f"{folder} is on {kind}: what waits there is lost when the machine restarts"
        yield Finding("spool", Verdict.WARNING, told, _MOVE)
    if free < max_bytes:
        told = f"{_mebibytes(free)} are free, and spool.max_bytes is {_mebibytes(max_bytes)}"
        remedy = f"free the disk below {folder}, or lower spool.max_bytes"
        yield Finding("spool", Verdict.WARNING, told, remedy)


def _mebibytes(size: int) -> str:
    return f"{size // 2**20} MiB"
