"""``payevents demo``."""

import uvloop
from rich.console import Console

from receiver.demo.run import DemoOptions, run_demo


def run(options: DemoOptions) -> int:
    """Run the demo on this terminal, or in plain lines where there is none."""
    return uvloop.run(run_demo(options, Console()))
