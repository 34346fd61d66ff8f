"""What an observation costs as the ledger grows, and as partitions do."""

from tests.bench.growth.benchmark import measure

__all__ = ["measure"]
