"""Throwing away a producer or consumer whose brokers may be gone or frozen.

aiokafka's own ``stop()`` flushes first, so it can wait for ever and leave tasks behind. What is
done here uses its private parts: the pinned version, tests/kafka/test_appender.py and the tests of
sessions and takeovers hold it.
"""

import asyncio
import contextlib
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

from receiver.kafka.strays import strays_are_errors

_CANCELS = 8
_PATIENCE = 0.2
_Client: TypeAlias = Any  # aiokafka is untyped


async def discard_producer(producer: AIOKafkaProducer) -> None:
    """End ``producer`` at once, without a word to the brokers; nothing of it is sent afterwards.

    An open transaction stays open on the broker until the next owner of its id starts.
    """
    producer._closed = True  # noqa: SLF001 - see the module's head, also for what follows
    client = producer.client
    _sever(client)
    sender = producer._sender  # noqa: SLF001
    if sender is not None and sender.sender_task is not None:
        await _cancel_hard(sender.sender_task)
    _fail_futures(producer)
    await _close_client(client)


async def discard_consumer(consumer: AIOKafkaConsumer) -> None:
    """End ``consumer``, politely for as long as that is quick."""
    with contextlib.suppress(Exception), strays_are_errors():
        async with asyncio.timeout(_PATIENCE * _CANCELS):
            await consumer.stop()
            return
    consumer._closed = True  # noqa: SLF001
    client = consumer._client  # noqa: SLF001
    _sever(client)
    await _close_client(client)


def _sever(client: _Client) -> None:
    async def no_connection(*_: object, **__: object) -> None:
        # It must not raise: that would kill the client's metadata task instead of ending it.
        await asyncio.sleep(0)

    async def no_coordinator(*_: object, **__: object) -> None:
        raise KafkaError("this client was discarded")

    client._get_conn = no_connection  # noqa: SLF001
    client.coordinator_lookup = no_coordinator
    for connection in list(client._conns.values()):  # noqa: SLF001
        connection.close()


async def _cancel_hard(task: "asyncio.Task[None]") -> None:
    # The sender answers a cancel by awaiting its own subtasks; each further cancel ends one.
    for _ in range(_CANCELS):
        task.cancel()
        done, _pending = await asyncio.wait([task], timeout=_PATIENCE)
        if done:
            break
    if task.done() and not task.cancelled():
        task.exception()


def _fail_futures(producer: AIOKafkaProducer) -> None:
    """Tell all who wait for something of the producer that it is closed.

    They must not be cancelled: whoever waits would take that for its own end, and end by it.
    """
    transactions = producer._txn_manager  # noqa: SLF001
    waiter = transactions._transaction_waiter if transactions is not None else None  # noqa: SLF001
    accumulator = producer._message_accumulator  # noqa: SLF001
    accumulator._closed = True  # noqa: SLF001
    queued = [batch for batches in accumulator._batches.values() for batch in batches]  # noqa: SLF001
    batches = [*queued, *accumulator._pending_batches]  # noqa: SLF001
    # A batch that was to be sent again is queued, and its callback takes it from the pending ones.
    accumulator._pending_batches.update(queued)  # noqa: SLF001
    records = [future for batch in batches for future, _ in batch._msg_futures]  # noqa: SLF001
    ends = [batch.future for batch in batches]
    # Those who wait for room in a full batch; one that failed while queued keeps its error here.
    drains = [batch._drain_waiter for batch in batches]  # noqa: SLF001
    for future in [*records, *ends, *drains, waiter]:
        if future is None or future.cancelled():
            continue
        if not future.done():
            future.set_exception(ProducerClosed())
        # Asked for here, since perhaps nobody else does: asyncio would complain about that.
        future.exception()


async def _close_client(client: _Client) -> None:
    with contextlib.suppress(Exception), strays_are_errors():
        async with asyncio.timeout(_PATIENCE * _CANCELS):
            await client.close()
