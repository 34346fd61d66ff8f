"""Waiting for what becomes of redriven letters."""

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaConsumer

from config.topics import Topics
from receiver.dead_letters.outcome import Outcome, Outcomes
from receiver.kafka.clients import Clients
from receiver.kafka.snapshot import reading
from receiver.shards.positions import input_positions


async def await_outcomes(
    clients: Clients, topics: Topics, records: AIOKafkaConsumer, outcomes: Outcomes, seconds: float
) -> list[Outcome]:
    """Return what became of each letter, after ``seconds`` at most.

    ``records`` follows the dead letters' topic from before the first was sent.

    Raises:
        SnapshotFailed: Kafka cannot be read.
    """
    with reading(topics.dead_letters):
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not outcomes.complete:
                    record = await records.getone()
                    outcomes.take(record.key or b"", record.value, list(record.headers))
        partitions = {sent.at.partition for sent in outcomes.pending}
        return outcomes.told(await input_positions(clients, topics.ledger, partitions))
