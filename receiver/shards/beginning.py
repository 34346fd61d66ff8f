"""Beginning a transaction soon after another.

Kafka refuses a session's next transaction until the markers of its last one are written, which
takes some milliseconds. aiokafka asks again 20 ms later, and all that came meanwhile would wait.
"""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ConcurrentTransactions
from aiokafka.protocol.transaction import AddPartitionsToTxnResponse_v0

PAUSES = (0.002, 0.004, 0.008)
"""Seconds before each asking again. After them aiokafka goes on at its own pace until one begins:
where markers cannot be written for long, nobody is asked hundreds of times a second."""


def begin_promptly(producer: AIOKafkaProducer) -> None:
    """Have transactions of ``producer`` begin as soon as Kafka lets them.

    It replaces ``client.send``, through which aiokafka's sender makes all its requests: the pinned
    version and tests/unit/receiver/shards/test_beginning.py hold that.
    """
    client = producer.client
    send = client.send
    pauses = iter(PAUSES)

    async def prompt(node_id: int, request: object, **options: object) -> object:
        nonlocal pauses
        response = await send(node_id, request, **options)
        if not isinstance(response, AddPartitionsToTxnResponse_v0):
            return response
        while _is_too_soon(response):
            pause = next(pauses, None)
            if pause is None:
                # aiokafka comes back here until it has begun, and is given no more of them.
                return response
            await asyncio.sleep(pause)
            response = await send(node_id, request, **options)
        pauses = iter(PAUSES)
        return response

    client.send = prompt


def _is_too_soon(response: AddPartitionsToTxnResponse_v0) -> bool:
    """Tell whether it refuses the partitions because the last transaction has not ended."""
    return any(
        code == ConcurrentTransactions.errno
        for _, partitions in response.errors
        for _, code in partitions
    )
