"""Batches of records: who is told what, whatever becomes of the batch that they were in."""

import asyncio
import gc
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed
from structlog.testing import capture_logs

from receiver.kafka.batching import NotDurable, RecordRefused
from tests.unit.receiver.kafka.batches import TOPIC, WITHIN, Stage, values
from tests.unit.receiver.polling.virtual import virtual


async def test_every_record_is_told_its_own_offset_in_order() -> None:
    """The answer has the offset of a batch's first record; the others follow in their order."""
    stage = Stage()
    records = stage.append(b"a", b"b", b"c")
    sent, answer = await stage.producer.next()
    assert sent == [b"a", b"b", b"c"]
    answer.set_result(SimpleNamespace(offset=40))
    assert await asyncio.gather(*records) == [40, 41, 42]
    assert stage.breaker.acknowledgements == 1


async def test_one_who_does_not_understand_is_told_alone() -> None:
    """What is wrong with one who appended keeps none of the others from hearing of theirs."""
    stage = Stage()
    [first] = stage.append(b"a")

    def not_understood(outcome: object) -> None:
        raise RuntimeError(outcome)

    stage.batching.append((TOPIC, 0), b"key", b"b", [], not_understood)
    [last] = stage.append(b"c")
    _, answer = await stage.producer.next()
    with capture_logs() as lines:
        answer.set_result(SimpleNamespace(offset=40))
        assert list(await asyncio.gather(first, last)) == [40, 42]
    assert [(line["log_level"], line["exc_info"]) for line in lines] == [("error", True)]


async def test_a_batch_takes_records_until_it_is_on_its_way() -> None:
    """Later ones are in the next batch, and neither the one nor the other is lost."""
    stage = Stage()
    early = stage.append(b"a")
    for _ in range(5):
        await asyncio.sleep(0)
    early += stage.append(b"b")
    first, answered = await stage.producer.next()
    late = stage.append(b"c")
    second, answered_later = await stage.producer.next()
    assert (first, second) == ([b"a", b"b"], [b"c"])
    answered_later.set_result(SimpleNamespace(offset=2))
    answered.set_result(SimpleNamespace(offset=0))
    assert await asyncio.gather(*early, *late) == [0, 1, 2]


async def test_partitions_have_batches_of_their_own() -> None:
    """Records of one partition are never in the batch of another."""
    stage = Stage()
    for number in range(6):
        stage.batching.append((TOPIC, number % 3), b"key", b"%d" % number, [], lambda _: None)
    await stage.producer.until_sent(3)
    sent = {partition: values(batch) for partition, batch, _ in stage.producer.sent}
    assert sent == {0: [b"0", b"3"], 1: [b"1", b"4"], 2: [b"2", b"5"]}
    stage.batching.close()


async def test_a_full_batch_is_followed_by_another() -> None:
    """Records that do not fit begin a batch of their own, in the order in which they came."""
    stage = Stage()
    appended = [b"%d" % number * 300 for number in range(7)]
    records = stage.append(*appended)
    sent: list[bytes] = []
    while len(sent) < len(appended):
        batch, answer = await stage.producer.next()
        assert len(batch) <= 3
        answer.set_result(SimpleNamespace(offset=len(sent)))
        sent += batch
    assert sent == appended
    assert await asyncio.gather(*records) == list(range(7))


@pytest.mark.parametrize("error", [ProducerClosed(), KafkaError(), OSError(), AssertionError()])
async def test_what_fails_fails_for_the_whole_batch_and_trips_once(error: Exception) -> None:
    """None of its records is known to be durable, and one batch is one failure."""
    stage = Stage()
    records = stage.append(b"a", b"b", b"c")
    _, answer = await stage.producer.next()
    answer.set_exception(error)
    outcomes = await asyncio.gather(*records, return_exceptions=True)
    assert [(type(outcome), str(outcome)) for outcome in outcomes] == [
        (NotDurable, "Kafka is away")
    ] * 3
    assert len({id(outcome) for outcome in outcomes}) == 3
    assert stage.breaker.failures == [error]


@virtual
async def test_a_batch_that_is_not_answered_in_time_fails_and_may_answer_later() -> None:
    """Its time runs from its first record, and what comes afterwards harms nobody."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, told: complaints.append(told))
    for outcome in (SimpleNamespace(offset=0), ProducerClosed()):
        stage = Stage()
        first = stage.append(b"a")
        await asyncio.sleep(WITHIN / 2)
        records = first + stage.append(b"b")
        _, answer = await stage.producer.next()
        began = loop.time()
        told = await asyncio.gather(*records, return_exceptions=True)
        assert {type(outcome) for outcome in told} == {NotDurable}
        assert loop.time() - began == pytest.approx(WITHIN / 2)
        assert isinstance(stage.breaker.failures[0], TimeoutError)
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
        del answer, stage
        gc.collect()
        await asyncio.sleep(0)
    assert complaints == []


@pytest.mark.parametrize("large", range(5))
async def test_a_record_too_large_fails_alone(large: int) -> None:
    """Kafka refuses the whole batch for it; its neighbours are sent again, and are durable."""
    stage = Stage()
    appended = [b"%d" % number for number in range(5)]
    appended[large] = b"x" * 500
    records = stage.append(*appended)
    await stage.answer_until_told(records, limit=100)
    outcomes = await asyncio.gather(*records, return_exceptions=True)
    assert isinstance(outcomes.pop(large), RecordRefused)
    assert set(outcomes) == {0, 1, 2, 3}
    assert stage.breaker.failures == []


async def test_a_batch_larger_than_its_topic_takes_is_sent_in_parts() -> None:
    """Where every record fits, none is refused."""
    stage = Stage()
    records = stage.append(*(b"%d" % number * 90 for number in range(8)))
    await stage.answer_until_told(records, limit=200)
    assert sorted(await asyncio.gather(*records)) == list(range(8))
    assert stage.breaker.failures == []


async def test_whoever_gives_up_does_so_alone() -> None:
    """A sender that is cancelled takes nothing from the others of its batch."""
    stage = Stage()
    given_up, other = stage.append(b"a", b"b")
    waiting = asyncio.create_task(_wait(given_up))
    await asyncio.sleep(0)
    waiting.cancel()
    _, answer = await stage.producer.next()
    answer.set_result(SimpleNamespace(offset=7))
    assert await other == 8
    assert waiting.cancelled()


async def _wait(record: "asyncio.Future[int]") -> int:
    return await record


async def test_what_is_under_way_at_the_end_is_told() -> None:
    """Nobody waits for ever, also not for the rest of a batch that is being sent in parts."""
    stage = Stage()
    whole = stage.append(b"a", b"b")
    _, answer = await stage.producer.next()
    answer.set_exception(MessageSizeTooLargeError())
    await stage.producer.next()
    stage.batching.close()
    outcomes = await asyncio.gather(*whole, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [NotDurable, NotDurable]


@pytest.mark.parametrize("error", [None, KafkaError("broken")])
async def test_a_producer_that_takes_no_batch_trips_the_breaker(error: Exception | None) -> None:
    """Its senders are told at once, and so is whoever comes next."""
    stage = Stage()
    stage.producer.end(error)
    for _ in range(2):
        [record] = stage.append(b"a")
        with pytest.raises(NotDurable, match="Kafka is away"):
            await record
    failed = type(error) if error is not None else ProducerClosed
    assert [type(failure) for failure in stage.breaker.failures] == [failed] * 2


@virtual
async def test_what_comes_after_a_batch_was_given_up_is_not_given_up_with_it() -> None:
    """It is in a batch of its own, whose time begins with it."""
    stage = Stage()
    [early] = stage.append(b"a")
    with pytest.raises(NotDurable):
        await early
    [late] = stage.append(b"b")
    await stage.producer.next()
    sent, answer = await stage.producer.next()
    answer.set_result(SimpleNamespace(offset=3))
    assert (sent, await late) == ([b"b"], 3)


@virtual
async def test_every_batch_has_its_own_time() -> None:
    """One that is answered in time does not let the next one off, nor cut it short."""
    stage = Stage()
    loop = asyncio.get_running_loop()
    [first] = stage.append(b"a")
    _, answer = await stage.producer.next()
    await asyncio.sleep(WITHIN / 2)
    [second] = stage.append(b"b")
    began = loop.time()
    answer.set_result(SimpleNamespace(offset=0))
    assert await first == 0
    with pytest.raises(NotDurable):
        await second
    assert loop.time() - began == pytest.approx(WITHIN)
