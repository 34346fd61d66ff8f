"""Restoring a ledger of a million resources, beside a bare consumer that counts its records."""

from tests.bench.restore.benchmark import measure

__all__ = ["measure"]
