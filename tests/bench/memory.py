"""What a resource in the ledger takes of a router's memory: slot, key and entry, all told."""

import json
import resource
import sys
from pathlib import Path

from receiver.shards.table import Table
from tests.bench.bench import Bench
from tests.bench.ledgers import resources
from tests.bench.measure import Findings, Goal, Line
from tests.bench.program import Program

RESOURCES = 1_000_000
PARTITIONS = 12
JUST_GROWN = 1_060_000
"""So many that Python has just doubled the slots of each partition's table: the dearest moment."""

_RUNS = 3


async def measure(bench: Bench) -> Findings:
    """Fill tables in processes of their own, and ask the system how much those have grown."""
    at_a_million = [await _each(bench, RESOURCES) for _ in range(_RUNS)]
    at_most = [await _each(bench, JUST_GROWN) for _ in range(_RUNS)]
    note = f"1.5 facts each, in {PARTITIONS} partitions, keys of 38 bytes"
    return Findings(
        [
            Line(
                "a resource of 1,000,000 in the ledger", at_a_million, Goal(at_most=200), "B", note
            ),
            Line("the same when the tables have just grown", at_most, unit="B"),
        ]
    )


async def _each(bench: Bench, count: int) -> float:
    """Return how many bytes a resource takes where there are so many."""
    async with Program.module(bench, "tests.bench.memory", str(count)) as program:
        return float(program.told["bytes"] / count)


def _grown(count: int) -> int:
    """Return by how many bytes this process grows as it takes in so many resources."""
    before = resident_bytes()
    tables = [Table() for _ in range(PARTITIONS)]
    for number, (key, value) in enumerate(resources(count, seed=1)):
        tables[number % PARTITIONS].apply(key, value)
    return resident_bytes() - before


def resident_bytes() -> int:
    """Return how much of this process is in memory."""
    _, resident, *_ = Path("/proc/self/statm").read_text().split()
    return int(resident) * resource.getpagesize()


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"bytes": _grown(int(sys.argv[1]))}) + "\n")
