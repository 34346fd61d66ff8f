"""``python -m tests.bench.flames NAME``: a picture of where a program under load spends its time.

It is ``docs/performance/NAME-after.svg``; with ``--tree DIR --suffix before``, that of another
checkout's code.
"""

import argparse
import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, TypeAlias

from tests.bench.bench import ROOT, Bench
from tests.bench.cores import stay_off_the_program
from tests.bench.receive.contenders import CONTENDERS, PAYEVENTS
from tests.bench.receive.load import Shape
from tests.bench.receive.rounds import rounds
from tests.bench.route.backlog import backlog

FOLDER: Final = ROOT / "docs" / "performance"
SECONDS: Final = 10.0
"""For which a program is looked at."""

_SAMPLES_A_SECOND: Final = 500
_STARTING: Final = 3.0
"""Seconds that the profiler may take to begin, for which the load lasts longer."""

_TITLE: Final = re.compile(r'(<text id="title"[^>]*>)[^<]*(</text>)')

Loaded: TypeAlias = Callable[[Bench], AbstractAsyncContextManager[int]]
"""Yields the id of a process that is under load for :data:`SECONDS` and some more."""


@asynccontextmanager
async def _receive(bench: Bench) -> AsyncIterator[int]:
    async with rounds(bench, {PAYEVENTS: CONTENDERS[PAYEVENTS]}) as running:
        pid = running.served[PAYEVENTS].pid
        assert pid is not None
        load = asyncio.create_task(running.round(PAYEVENTS, Shape(SECONDS + _STARTING)))
        yield pid
        await load


PROGRAMS: Final[Mapping[str, Loaded]] = {"receive": _receive, "route": backlog}
"""What can be looked at."""


async def record(pid: int, picture: Path, title: str) -> None:
    """Look at a process for :data:`SECONDS`, and draw the flame graph.

    Raises:
        SystemExit: py-spy cannot do it; it says why.
    """
    spy = shutil.which("py-spy", path=Path(sys.executable).parent) or "py-spy"
    how = {"rate": _SAMPLES_A_SECOND, "duration": round(SECONDS), "output": picture, "pid": pid}
    options = [text for name, value in how.items() for text in (f"--{name}", str(value))]
    process = await asyncio.create_subprocess_exec(
        *(spy, "record", "--function", "--nonblocking", *options)
    )
    if await process.wait() != 0:
        raise SystemExit(f"py-spy could not look at {title}")
    await asyncio.to_thread(_entitle, picture, title)


def _entitle(picture: Path, title: str) -> None:
    """Replace the title, which is py-spy's command line."""
    drawn = _TITLE.sub(rf"\g<1>{title}\g<2>", picture.read_text())
    picture.write_text(drawn)


async def draw(name: str, tree: Path, suffix: str) -> Path:
    """Put the program called ``name`` under load; return the picture of where its time goes."""
    picture = FOLDER / f"{name}-{suffix}.svg"
    with Bench(tree=tree) as bench:
        async with PROGRAMS[name](bench) as pid:
            await record(pid, picture, f"{name}, {suffix}")
    return picture


def main() -> int:
    """Draw the flame graphs that are named, or all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.flames", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(PROGRAMS)}")
    parser.add_argument("--tree", type=Path, default=ROOT, help="a checkout to look at instead")
    parser.add_argument("--suffix", default="after", help="of the pictures' names")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(PROGRAMS))
    if unknown:
        parser.error(f"no such program: {', '.join(unknown)}")
    stay_off_the_program()
    for name in options.names or PROGRAMS:
        picture = asyncio.run(draw(name, options.tree, options.suffix))
        sys.stdout.write(f"{picture}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
