"""A commit that had to be asked for twice is noticed, through aiokafka's own way of asking."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError, RequestTimedOutError
from aiokafka.producer.sender import AddPartitionsToTxnHandler, EndTxnHandler, InitPIDHandler

from receiver.shards.unanswered import UnansweredEnds


class Client:
    """A client whose requests fail."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    async def send(self, node_id: int, request: object, *, group: object) -> object:
        """Fail."""
        del node_id, request, group
        raise self._failure


async def ask(handler: Any, failure: Exception) -> bool:
    """Have aiokafka's sender ask, in vain; tell whether an end was noticed to be unanswered."""
    client = Client(failure)
    unanswered = UnansweredEnds(cast("AIOKafkaProducer", SimpleNamespace(client=client)))
    transactions = SimpleNamespace(
        transactional_id="id", producer_id=1, producer_epoch=0, transaction_timeout_ms=1
    )
    sender = SimpleNamespace(
        client=client,
        _txn_manager=transactions,
        _retry_backoff=0.0,
        _coordinator_dead=lambda _: None,
    )
    assert not await handler(sender).do(0)
    return unanswered.any


@pytest.mark.parametrize("failure", [RequestTimedOutError(), KafkaConnectionError()])
async def test_an_unanswered_end_is_noticed(failure: Exception) -> None:
    """After a time-out, or a connection that broke, nobody knows whether it is still on its way."""
    assert await ask(lambda sender: EndTxnHandler(sender, 1), failure)


async def test_an_end_that_was_not_sent_is_none() -> None:
    """Where there is no connection, nothing is on its way."""
    assert not await ask(lambda sender: EndTxnHandler(sender, 1), NodeNotReadyError())


@pytest.mark.parametrize(
    "handler", [InitPIDHandler, lambda sender: AddPartitionsToTxnHandler(sender, [])]
)
async def test_other_requests_may_be_repeated(handler: Any) -> None:
    """They end nothing: a session goes on after them."""
    assert not await ask(handler, RequestTimedOutError())
