"""What an observation costs as partitions grow in number."""

from collections.abc import Sequence

from tests.bench.bench import Bench
from tests.bench.growth.growing import growing
from tests.bench.growth.router import Size
from tests.bench.measure import Findings

PARTITIONS = (4, 12, 48, 200)
EACH_PARTITION = 600
"""Observations a partition and backlog: it is no shallower where there are more of them."""
AT_LEAST = 28_800
"""Observations a round: where partitions are few, in several backlogs one after another."""


async def measure(bench: Bench) -> Findings:
    """Route with few and with many."""
    services = {count: Size(partitions=count) for count in PARTITIONS}
    return await growing(bench, "partitions", services, _backlogs)


def _backlogs(size: Size) -> Sequence[int]:
    count = EACH_PARTITION * size.partitions
    return [count] * max(1, round(AT_LEAST / count))
