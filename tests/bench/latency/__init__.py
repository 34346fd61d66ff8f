"""How long it takes from the receipt of a webhook until its events can be read."""

from tests.bench.latency.benchmark import measure

__all__ = ["measure"]
