"""The command ``payevents`` without transactions: what exactly-once costs is the difference.

Sessions get an idempotent producer that begins and commits nothing; all else stays.
"""

import pytest
from aiokafka import AIOKafkaProducer

from receiver.cli import main
from receiver.kafka.clients import Clients


class Unguarded(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka is untyped
    """An idempotent producer whose transactions are none."""

    async def begin_transaction(self) -> None:
        """Begin nothing."""

    async def commit_transaction(self) -> None:
        """Commit nothing."""


def without_transactions(patch: pytest.MonkeyPatch) -> None:
    """Take the transactions, and nothing else, out of what sessions write with."""
    make = Clients._producer

    def producer(clients: Clients, **settings: object) -> AIOKafkaProducer:
        if settings.pop("transactional_id", None) is None:
            return make(clients, **settings)
        del settings["transaction_timeout_ms"]
        return Unguarded(**clients.options, **settings, enable_idempotence=True)

    patch.setattr(Clients, "_producer", producer)


if __name__ == "__main__":
    without_transactions(pytest.MonkeyPatch())
    main()
