"""What an observation costs as accounts grow in number."""

from tests.bench.bench import Bench
from tests.bench.growth.growing import growing
from tests.bench.growth.router import Size
from tests.bench.measure import Findings

ACCOUNTS = (3, 30, 300, 1_000)
EACH_ROUND = 4_800
"""Observations: so that each transaction holds a few of each account where they are many."""


async def measure(bench: Bench) -> Findings:
    """Route for few and for many."""
    services = {count: Size(accounts=count) for count in ACCOUNTS}
    return await growing(bench, "accounts", services, lambda _: [EACH_ROUND])
