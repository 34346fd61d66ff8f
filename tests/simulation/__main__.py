"""``python -m tests.simulation --seeds 0-5000``: as many runs as one likes, and what they found.

``python -m tests.simulation week --seed 0-20 --weeks 2`` simulates weeks of a shop instead.
"""

import argparse
import sys
from collections.abc import Sequence

from tests.simulation.routing import Plan, simulate
from tests.simulation.week import command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the seeds; return 1 if any failed."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["week"]:
        return command.main(given[1:])
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", default="0-500", help="FIRST-LAST, or one; default: %(default)s")
    parser.add_argument("--rate", type=float, default=0.03, help="the share of requests that fail")
    parser.add_argument("--invoices", type=int, default=12, help="how many invoices live in a run")
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--partitions", type=int, default=2)
    chosen = parser.parse_args(given)
    first, _, last = chosen.seeds.partition("-")
    failed = 0
    for seed in range(int(first), int(last or first) + 1):
        plan = Plan(
            seed,
            rate=chosen.rate,
            invoices=chosen.invoices,
            replicas=chosen.replicas,
            partitions=chosen.partitions,
        )
        try:
            simulate(plan)
        except AssertionError as error:
            failed += 1
            sys.stdout.write("\n".join([f"seed {seed}: {error}", *error.__notes__, ""]))
    sys.stdout.write(f"{chosen.seeds}: {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
