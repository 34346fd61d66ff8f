"""The receiver: durable 200s, beside bare aiohttp and what people would write instead."""

from tests.bench.receive.throughput import measure

__all__ = ["measure"]
