"""``python -m tests.simulation week --seed 7 --weeks 4``: longer weeks, and what they found."""

import argparse
import sys
from collections.abc import Sequence
from time import process_time

from tests.simulation.week.plan import VERSIONS, WeekPlan
from tests.simulation.week.run import simulate_week


def main(arguments: Sequence[str]) -> int:
    """Run the seeds; return 1 if any failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation week", description=__doc__)
    parser.add_argument("--seed", default="0", help="FIRST-LAST, or one; default: %(default)s")
    parser.add_argument("--weeks", type=float, default=1.0, help="how long the shop is open")
    parser.add_argument("--version", choices=VERSIONS, help="SmartPay's; default: by turns")
    chosen = parser.parse_args(arguments)
    first, _, last = chosen.seed.partition("-")
    failed = 0
    for seed in range(int(first), int(last or first) + 1):
        version = chosen.version or VERSIONS[seed % len(VERSIONS)]
        failed += not _succeeds(WeekPlan(seed, version, weeks=chosen.weeks))
    return 1 if failed else 0


def _succeeds(plan: WeekPlan) -> bool:
    began = process_time()
    try:
        told = str(simulate_week(plan))
    except AssertionError as error:
        told = "\n".join([f"failed: {error}", *error.__notes__])
    sys.stdout.write(
        f"seed {plan.seed}, version {plan.version}: {told}, {process_time() - began:.0f} s\n"
    )
    return not told.startswith("failed")
