"""Real disks that are full or can only be read, as far as this machine lets a test have them."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_NOBODY = 65534


@cache
def can_mount() -> bool:
    """Tell whether disks can be mounted here: by root, where no container forbids it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder)):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


@contextmanager
def small_disk(folder: Path, size: str = "1m") -> Iterator[None]:
    """Have a disk of that size at ``folder``."""
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield
    finally:
        _run("umount", "--lazy", folder)


def enlarge(folder: Path, size: str) -> None:
    """Give the disk at ``folder`` more room."""
    _run("mount", "-o", f"remount,size={size}", folder)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Have nothing in ``folder`` written to: by its mount, or by the rights of a mere user."""
    with _mounted_read_only(folder) if can_mount() else _without_rights(folder):
        yield


@contextmanager
def _mounted_read_only(folder: Path) -> Iterator[None]:
    _run("mount", "--bind", folder, folder)
    try:
        _run("mount", "-o", "remount,bind,ro", folder)
        yield
    finally:
        _run("umount", "--lazy", folder)


@contextmanager
def _without_rights(folder: Path) -> Iterator[None]:
    places = [folder, *folder.iterdir()]
    modes = [place.stat().st_mode & 0o777 for place in places]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    user = os.geteuid()
    try:
        if user == 0:
            # Root writes wherever it likes.
            os.seteuid(_NOBODY)
        yield
    finally:
        if user == 0:
            os.seteuid(user)
        for place, mode in zip(places, modes, strict=True):
            place.chmod(mode)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
