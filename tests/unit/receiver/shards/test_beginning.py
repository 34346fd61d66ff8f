"""A transaction that is begun too soon is asked for again soon, through aiokafka's own sender."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import ConcurrentTransactions, NoError, NotCoordinatorError
from aiokafka.producer.sender import AddPartitionsToTxnHandler
from aiokafka.protocol.transaction import AddPartitionsToTxnResponse_v0

from receiver.shards import beginning
from receiver.shards.beginning import PAUSES, begin_promptly

OUT = TopicPartition("out", 0)


class Coordinator:
    """A client whose coordinator answers with one error code after another, the last for ever."""

    def __init__(self, codes: Sequence[int]) -> None:
        self._codes = list(codes)
        self.asked = 0

    async def send(self, node_id: int, request: object, *, group: object) -> object:
        """Answer."""
        del node_id, request, group
        self.asked += 1
        code = self._codes.pop(0) if len(self._codes) > 1 else self._codes[0]
        return AddPartitionsToTxnResponse_v0(0, [(OUT.topic, [(OUT.partition, code)])])


async def begin(*codes: int, attempts: int = 1) -> tuple[bool, int]:
    """Have aiokafka ask; tell whether the transaction has begun, and how often it was asked for."""
    client = Coordinator(codes)
    begin_promptly(cast("AIOKafkaProducer", SimpleNamespace(client=client)))
    added: list[TopicPartition] = []
    transactions = SimpleNamespace(
        transactional_id="id",
        producer_id=1,
        producer_epoch=0,
        txn_partitions=added,
        partition_added=added.append,
    )
    sender = SimpleNamespace(
        client=client,
        _txn_manager=transactions,
        _retry_backoff=0.0,
        _coordinator_dead=lambda _: None,
    )
    for _ in range(attempts):
        done = await AddPartitionsToTxnHandler(sender, [OUT]).do(0)
    assert bool(added) is done
    return done, client.asked


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that are made, none of which takes any time."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr(beginning, "asyncio", SimpleNamespace(sleep=sleep))
    return made


async def test_one_that_may_begin_is_asked_for_once(pauses: list[float]) -> None:
    """Nothing is added to what Kafka grants at once."""
    assert await begin(NoError.errno) == (True, 1)
    assert pauses == []


async def test_one_that_comes_too_soon_is_asked_for_again_soon(pauses: list[float]) -> None:
    """Aiokafka hears of the answer alone that lets it begin, and pauses for none."""
    too_soon = ConcurrentTransactions.errno
    assert await begin(too_soon, too_soon, NoError.errno) == (True, 3)
    assert pauses == list(PAUSES[:2])


async def test_one_that_is_refused_for_long_is_left_to_aiokafka(pauses: list[float]) -> None:
    """After some askings it goes on at its own pace."""
    assert await begin(ConcurrentTransactions.errno) == (False, 1 + len(PAUSES))
    assert pauses == list(PAUSES)


async def test_aiokafka_is_left_its_pace_until_it_has_begun(pauses: list[float]) -> None:
    """Each of its own attempts is one request then: a cluster that ails is not asked for more."""
    too_soon = ConcurrentTransactions.errno
    assert await begin(too_soon, attempts=4) == (False, 1 + len(PAUSES) + 3)
    assert pauses == list(PAUSES)


async def test_the_next_one_is_asked_for_again_soon_again(pauses: list[float]) -> None:
    """What one transaction used up, the next one has."""
    too_soon = ConcurrentTransactions.errno
    refused = [too_soon] * (1 + len(PAUSES))
    assert await begin(*refused, NoError.errno, too_soon, NoError.errno, attempts=3) == (True, 7)
    assert pauses == [*PAUSES, PAUSES[0]]


async def test_any_other_answer_is_aiokafkas_affair(pauses: list[float]) -> None:
    """Nothing but a transaction that is still ending passes by itself."""
    assert await begin(NotCoordinatorError.errno, NoError.errno) == (False, 1)
    assert pauses == []
