"""A receiver's failures: told soon, once, in few messages, and without holding anything up."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest

from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.clients import KafkaHeaders
from receiver.registration.signs import Failure, Undelivered
from receiver.registration.undelivered import EVERY, LONGEST_PAUSE, MOST_TOLD, Failures
from receiver.watches.requests import from_value, partition_key

TOPIC = "payevents.watch-requests"


@dataclass
class FakeAppender:
    """Keeps what is appended; fails while Kafka is ``away``, waits while it does not ``answer``.

    ``meanwhile`` is what happens while it is asked.
    """

    told: list[Undelivered] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    away: bool = False
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answer.set()

    async def append(
        self,
        topic: str,
        key: bytes,
        value: bytes,
        *,
        headers: KafkaHeaders | None = None,  # noqa: ARG002 - as the real one has them
        partition_key: bytes | None = None,
    ) -> tuple[int, int]:
        """Append as the real one does."""
        self.asked.set()
        self.meanwhile()
        await self.answer.wait()
        if self.away:
            raise NotDurable("Kafka is away")
        [sign] = from_value(value)
        assert isinstance(sign, Undelivered)
        assert (topic, key, partition_key) == (TOPIC, sign.key.encode(), sign.account.encode())
        self.told.append(sign)
        return 0, len(self.told)


@dataclass
class Sleeper:
    """Sleeps for no time, and remembers for how long; ends the loop after the last of ``most``."""

    most: int
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Note it."""
        self.slept.append(seconds)
        if len(self.slept) > self.most:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


def failures_of(appender: FakeAppender) -> Failures:
    """Return a recorder that tells ``appender``."""
    return Failures(cast("Appender", appender), TOPIC)


def failure(number: int, topic: str = "invoice/paid") -> Failure:
    """Return a failure."""
    return Failure(topic, 401, "the signature is wrong", 1.0 + number, str(number), "ab")


async def test_failures_travel_to_their_accounts_shard() -> None:
    """One message for each account, in its partition, has all of its failures."""
    appender = FakeAppender()
    failures = failures_of(appender)
    for number in range(3):
        failures.note("shop", failure(number))
    failures.note("club", failure(3, "order/created"))
    assert await failures.tell() == 2
    assert appender.told == [
        Undelivered("shop", tuple(failure(number) for number in range(3))),
        Undelivered("club", (failure(3, "order/created"),)),
    ]
    assert partition_key("shop") == b"shop"


async def test_what_was_told_is_told_once() -> None:
    """Where nothing new failed, nothing is sent."""
    appender = FakeAppender()
    failures = failures_of(appender)
    failures.note("shop", failure(1))
    assert [await failures.tell(), await failures.tell()] == [1, 0]
    assert len(appender.told) == 1


async def test_a_flood_makes_one_small_message() -> None:
    """The first of each topic are told one by one, the others as a number."""
    appender = FakeAppender()
    failures = failures_of(appender)
    for number in range(1000):
        failures.note("shop", failure(number))
    failures.note("shop", failure(1, "order/created"))
    await failures.tell()
    [sign] = appender.told
    assert len(sign.failures) == MOST_TOLD + 1
    assert sign.more == {"invoice/paid": 1000 - MOST_TOLD}


async def test_what_kafka_did_not_take_is_told_later() -> None:
    """While Kafka is away failures add up, within bounds; none is lost, and none told twice."""
    appender = FakeAppender(away=True)
    failures = failures_of(appender)
    for _ in range(3):
        for number in range(MOST_TOLD):
            failures.note("shop", failure(number))
        assert await failures.tell() == 0
    appender.away = False
    assert await failures.tell() == 1
    assert appender.told == [
        Undelivered(
            "shop",
            tuple(failure(number) for number in range(MOST_TOLD)),
            {"invoice/paid": 2 * MOST_TOLD},
        )
    ]


async def test_what_fails_while_kafka_is_asked_is_kept_too() -> None:
    """A failure that comes while an append is under way joins what that append did not take."""
    appender = FakeAppender(away=True)
    failures = failures_of(appender)
    appender.answer.clear()
    failures.note("shop", failure(1))
    telling = asyncio.create_task(failures.tell())
    await appender.asked.wait()
    failures.note("shop", failure(2))
    appender.answer.set()
    await telling
    appender.away = False
    await failures.tell()
    assert appender.told == [Undelivered("shop", (failure(1), failure(2)))]


async def test_the_longer_it_goes_on_the_fewer_messages() -> None:
    """The pause grows while each round had something to tell, and is short again after a quiet one.

    So a flood that never ends costs two messages a minute, and what fails after a quiet time is
    told within two seconds.
    """
    appender, sleeper = FakeAppender(), Sleeper(most=9)
    failures = Failures(cast("Appender", appender), TOPIC, sleep=sleeper.sleep)

    def flood() -> None:
        if len(sleeper.slept) < 7:
            failures.note("shop", failure(1))

    appender.meanwhile = flood
    failures.note("shop", failure(0))
    with pytest.raises(asyncio.CancelledError):
        await failures.run()
    assert sleeper.slept == [
        EVERY,
        *(EVERY * 2**n for n in (1, 2, 3)),
        *[LONGEST_PAUSE] * 4,
        EVERY,
        EVERY,
    ]


async def test_while_kafka_is_away_it_is_tried_at_the_usual_pace() -> None:
    """What could not be told for a while is told soon after Kafka is back."""
    sleeper = Sleeper(most=5)
    failures = Failures(cast("Appender", FakeAppender(away=True)), TOPIC, sleep=sleeper.sleep)
    failures.note("shop", failure(1))
    with pytest.raises(asyncio.CancelledError):
        await failures.run()
    assert set(sleeper.slept) == {EVERY}


async def test_the_end_waits_for_what_is_under_way() -> None:
    """Shutdown tells what is left, after the message that is being sent."""
    appender = FakeAppender()
    failures = failures_of(appender)
    appender.answer.clear()
    failures.note("shop", failure(1))
    telling = asyncio.create_task(failures.tell())
    await appender.asked.wait()
    failures.note("shop", failure(2))
    flushing = asyncio.create_task(failures.flush(30))
    appender.answer.set()
    await asyncio.gather(telling, flushing)
    assert [sign.failures for sign in appender.told] == [(failure(1),), (failure(2),)]


async def test_the_end_is_not_held_up_by_kafka() -> None:
    """Where Kafka does not answer, shutdown goes on."""
    appender = FakeAppender()
    failures = failures_of(appender)
    appender.answer.clear()
    failures.note("shop", failure(1))
    async with asyncio.timeout(30):
        await failures.flush(0.01)
    assert appender.told == []
    appender.answer.set()
    assert await failures.tell() == 1
