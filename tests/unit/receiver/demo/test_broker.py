"""The embedded broker's processes: none outlives it, and what they said is told."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from receiver.demo import broker
from receiver.demo.broker import EmbeddedBroker, NoBroker

SLOW = "trap 'sleep 0.3; exit' TERM"
DEAF = "trap '' TERM"

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what installs a shell script as the broker's program."""
    program = tmp_path / "program"

    def as_program(script: str) -> None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)

    async def has_begun(_: object) -> bool:
        return (tmp_path / "begun").exists()

    monkeypatch.setattr(broker, "_program", lambda: str(program))
    monkeypatch.setattr(broker, "_answers", has_begun)
    return as_program


@pytest.fixture
def held(tmp_path: Path) -> Iterator[int]:
    """Yield a pipe's reading end: it is at its end once nobody holds ``tmp_path / "held"``."""
    os.mkfifo(tmp_path / "held")
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    yield reader
    os.close(reader)


@pytest.mark.parametrize("manner", [SLOW, DEAF])
async def test_nothing_of_it_is_left_when_it_has_ended(
    manner: str, install: Install, held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its command is a wrapper that ends first: what that started is waited for, or killed."""
    monkeypatch.setattr(broker, "_ENDS_WITHIN", 1.0)
    begin = f"exec 3> {tmp_path}/held; {manner}; : > {tmp_path}/begun"
    install(f"({begin}; while :; do sleep 0.05; done) & wait")
    async with EmbeddedBroker(tmp_path):
        with pytest.raises(BlockingIOError):
            os.read(held, 1)
    assert os.read(held, 1) == b""


async def test_what_it_said_before_it_ended_is_told(install: Install, tmp_path: Path) -> None:
    """The error shows the last of its output."""
    install("echo the disk is on fire >&2; exit 1")
    with pytest.raises(NoBroker, match="ended: the disk is on fire"):
        async with asyncio.timeout(30):
            await EmbeddedBroker(tmp_path).__aenter__()
