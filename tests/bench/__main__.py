"""``python -m tests.bench``: run the benchmarks, print their figures, draw their report."""

import argparse
import asyncio
import importlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.bench import ROOT, Bench, Peer
from tests.bench.cores import stay_off_the_program, stolen_seconds
from tests.bench.measure import Findings
from tests.bench.report import Report, Run, told

BENCHMARKS: Sequence[str] = (
    "receive",
    "receive.latency",
    "route",
    "latency",
    "restore",
    "memory",
    "growth.ledger",
    "growth.partitions",
    "growth.accounts",
    "poll",
    "start",
    "idle",
    "spool",
    "connections",
    "workers",
)
"""The modules of this package that hold a benchmark, in the order of the report."""

PEER = "peer"
"""The benchmark that is run only by its name: against a server of somebody else's."""

PAGE = ROOT / "docs" / "performance.md"
FOLDER = ROOT / "docs" / "performance"


async def _run(names: Sequence[str], *, quick: bool, tree: Path, peer: Peer | None) -> Run:
    before = stolen_seconds()
    found: dict[str, Findings] = {}
    with Bench(quick=quick, tree=tree, peer=peer) as bench:
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
    theirs = parser.add_argument_group(f"for {PEER}")
    theirs.add_argument("--peer-url", help="where another server listens: http://HOST:PORT/PATH")
    theirs.add_argument("--peer-headers", default="", metavar="'NAME: VALUE; …'")
    theirs.add_argument("--peer-pid", type=int, help="its process, if its cost is to be known")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - {*BENCHMARKS, PEER})
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    # As Ctrl-C does it: nothing that was started is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    stay_off_the_program()
    names = options.names or BENCHMARKS
    peer = None
    if options.peer_url is not None:
        peer = Peer(options.peer_url, options.peer_headers, options.peer_pid)
    run = asyncio.run(_run(names, quick=options.quick, tree=options.tree, peer=peer))
    if options.report:
        Report(PAGE, FOLDER).renew(run)
    sys.stdout.write(run.table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
