"""What an observation costs as the ledger grows."""

from tests.bench.bench import Bench
from tests.bench.growth.growing import growing
from tests.bench.growth.router import Size
from tests.bench.measure import Findings

RESOURCES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
EACH_ROUND = 2_400
"""Observations: few, since three of four bring a resource more, which the least ledger feels."""


async def measure(bench: Bench) -> Findings:
    """Route with ledgers of all sizes, but for the largest if it is to be quick."""
    sizes = [size for size in RESOURCES if not bench.quick or size < RESOURCES[-1]]
    services = {count: Size(resources=count) for count in sizes}
    return await growing(bench, "resources in the ledger", services, lambda _: [EACH_ROUND])
