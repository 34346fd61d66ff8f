"""Throwing a producer away leaves nothing behind, and nobody complains."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition

from receiver.kafka.discard import discard_producer

INPUT = TopicPartition("input", 0)


async def test_a_batch_that_was_to_be_sent_again_fails_in_peace() -> None:
    """A batch that a broker refused once is queued again; discarding it raises in no callback."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:9")
    accumulator = producer._message_accumulator
    sent = await accumulator.add_message(INPUT, b"key", b"value", timeout=1)
    accumulator.reenqueue(accumulator._pop_batch(INPUT))
    await discard_producer(producer)
    await asyncio.sleep(0)
    assert sent.done()
    assert not complaints
