"""The chaos run as a command: ``python -m tests.chaos --minutes 30 --seed 7 --report FILE``.

Its exit code is 0 only if nothing was found. The logs and the ledger of a run that found something
are kept.
"""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.report import render
from tests.chaos.run import Options, run


def main() -> int:
    """Run, print the report, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long, at least")
    parser.add_argument("--seed", type=int, help="of the plan and the traffic; else a random one")
    parser.add_argument(
        "--observations", type=int, default=100_000, help="how many notifications, at least"
    )
    parser.add_argument("--rate", type=float, default=120.0, help="notifications per second")
    parser.add_argument("--report", type=Path, help="also write the report to this file")
    parser.add_argument("--logs", type=Path, help="keep the logs and the ledger in this folder")
    arguments = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    _say(f"seed {seed}")
    folder = arguments.logs or Path(tempfile.mkdtemp(prefix="payevents-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    options = Options(arguments.minutes, seed, arguments.observations, arguments.rate)
    try:
        outcome = asyncio.run(run(options, folder, _say))
    except BaseException:
        _say(f"the run broke down; its logs and its ledger are in {folder}")
        raise
    report = render(outcome)
    _say(report)
    if arguments.report is not None:
        arguments.report.write_text(report)
    if outcome.clean:
        if arguments.logs is None:
            shutil.rmtree(folder)
        return 0
    _say(f"{outcome.findings}\nthe logs and the ledger are in {folder}")
    return 1


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's output


if __name__ == "__main__":
    sys.exit(main())
