"""Handing a batch to an aiokafka producer without waiting for those before it.

``send_batch`` waits until the producer has sent what it was given before for that partition, so
each batch would need a task of its own, which costs more than all that is in it. What is done here
uses aiokafka's private parts instead: the pinned version and tests/kafka/test_appender.py hold it.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerClosed
from aiokafka.producer.message_accumulator import BatchBuilder


def hand_over(
    producer: AIOKafkaProducer, batch: BatchBuilder, topic: str, partition: int
) -> "asyncio.Future[Any]":
    """Queue ``batch``, which takes more records until it is sent; return what has the answer.

    That is a ``RecordMetadata`` with the first record's offset, or aiokafka's error. It is
    aiokafka's own: whoever cancelled it would break the producer.

    Raises:
        KafkaError: the producer is closed, or broken for good.
    """
    accumulator = producer._message_accumulator  # noqa: SLF001 - see the module's head
    if accumulator._closed:  # noqa: SLF001
        raise ProducerClosed
    broken = accumulator._exception  # noqa: SLF001
    if broken is not None:
        raise type(broken)(*broken.args)
    queued = accumulator._append_batch(batch, TopicPartition(topic, partition))  # noqa: SLF001
    answer: asyncio.Future[Any] = queued.future
    return answer
