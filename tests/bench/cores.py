"""Cores: the program under test has one to itself; load, readers and broker have the other."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

_AT_FIRST = sorted(os.sched_getaffinity(0))
PROGRAM_CORE = _AT_FIRST[0]
LOAD_CORE = _AT_FIRST[-1]

_CPU_CLOCK_OF_PROCESS = 2


def stay_off_the_program() -> None:
    """Pin this process, and all that it starts from now on, to the load core.

    Raises:
        SystemExit: there is only one core, so that everything would measure everything else.
    """
    if PROGRAM_CORE == LOAD_CORE:
        raise SystemExit("the benchmarks need two cores: one for the program, one for the load")
    os.sched_setaffinity(0, {LOAD_CORE})


def on_program_core(argv: Sequence[str | Path]) -> list[str]:
    """Return the command that runs ``argv`` on the program core, under the same process id."""
    return ["taskset", "--cpu-list", str(PROGRAM_CORE), *map(str, argv)]


def cpu_seconds(pid: int) -> float:
    """Return the seconds of processor time, user and system, that a process has used so far.

    All its threads count. Source: the encoding of ``clock_getcpuclockid(3)`` on Linux.
    """
    return time.clock_gettime(~pid << 3 | _CPU_CLOCK_OF_PROCESS)


def stolen_seconds() -> float:
    """Return for how many seconds the host has kept this machine's processors from running."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK")
