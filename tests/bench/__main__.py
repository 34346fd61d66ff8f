"""``python -m tests.bench``: run the benchmarks, print their figures, draw their report."""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.bench import ROOT, Bench
from tests.bench.cores import stay_off_the_program, stolen_seconds
from tests.bench.measure import Findings
from tests.bench.report import Report, Run, told

BENCHMARKS: Sequence[str] = ()
"""The modules of this package that hold a benchmark, in the order of the report."""

PAGE = ROOT / "docs" / "performance.md"
FOLDER = ROOT / "docs" / "performance"


async def _run(names: Sequence[str], *, quick: bool, tree: Path) -> Run:
    before = stolen_seconds()
    found: dict[str, Findings] = {}
    with Bench(quick=quick, tree=tree) as bench:
        for name in names:
            bench.say(f"== {name}")
            module = importlib.import_module(f"tests.bench.{name}")
            found[name] = await module.measure(bench)
            for line in found[name].lines:
                bench.say(told(line))
    return Run(found, quick=quick, stolen=stolen_seconds() - before)


def main() -> int:
    """Run the benchmarks that are named, or all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, a tenth of the work")
    parser.add_argument("--tree", type=Path, default=ROOT, help="a checkout to measure instead")
    parser.add_argument("--report", action="store_true", help="renew the report in docs/")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    stay_off_the_program()
    names = options.names or BENCHMARKS
    run = asyncio.run(_run(names, quick=options.quick, tree=options.tree))
    if options.report:
        Report(PAGE, FOLDER).renew(run)
    sys.stdout.write(run.table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
