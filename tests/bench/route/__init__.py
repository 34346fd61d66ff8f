"""The router with a backlog, beside loops and peers that do the same or less."""

from tests.bench.route.benchmark import measure

__all__ = ["measure"]
