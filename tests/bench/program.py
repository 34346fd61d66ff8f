"""The program under test: a process of its own, on a core of its own."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.bench.bench import Bench
from tests.bench.cores import cpu_seconds, on_program_core
from tests.support.payevents import Payevents

READY_WITHIN = 60.0
"""Seconds."""

COMMAND = "from receiver.cli import main; main()"
"""What the command ``payevents`` does, wherever its code is."""


class Program:
    """A process that prints one line of JSON on its standard output once it is ready: ``told``."""

    def __init__(
        self, argv: Sequence[str | Path], *, environment: Mapping[str, str] | None = None
    ) -> None:
        self._argv = argv
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None
        self.told: dict[str, Any] = {}

    @classmethod
    def module(cls, bench: Bench, name: str, *arguments: str) -> Self:
        """Return the module ``name`` as a program; what it imports is the code under test."""
        return cls([sys.executable, "-P", "-m", name, *arguments], environment=bench.environment)

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *on_program_core(self._argv), stdout=asyncio.subprocess.PIPE, env=self._environment
        )
        try:
            self.told = json.loads(await self._first_line(self._process))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _first_line(self, process: asyncio.subprocess.Process) -> bytes:
        assert process.stdout is not None
        async with asyncio.timeout(READY_WITHIN):
            line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._argv} ended before it was ready")
        return line

    @property
    def pid(self) -> int:
        """Return the id of the process."""
        assert self._process is not None
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        return cpu_seconds(self.pid)


def payevents(bench: Bench, config: str, *options: str, name: str = "payevents") -> Payevents:
    """Return ``payevents serve`` with the code of ``bench.tree``, on the program core.

    Its standard error is read by this process: see :class:`tests.support.payevents.Payevents`.
    """
    served = Payevents(config, bench.folder, name, *options)
    served.program = on_program_core([sys.executable, "-P", "-c", COMMAND])
    served.environment = bench.environment
    return served
