"""What an observation costs as the ledger grows, as partitions do, and as accounts do."""

from tests.bench.growth.benchmark import measure

__all__ = ["measure"]
