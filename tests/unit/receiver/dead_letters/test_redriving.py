"""Sending letters through the inbox again."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import pytest

from config.topics import Topics
from handlers.observation import Observation, Origin
from receiver.dead_letters import redriving
from receiver.dead_letters.finding import Found
from receiver.dead_letters.redriving import Pace, RedriveStopped, redrive, refusals
from receiver.kafka.appender import Appender, NotDurable
from receiver.kafka.clients import Clients, KafkaHeaders
from receiver.kafka.snapshot import Row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOPICS = Topics.named("", ())
CLIENTS = Clients({})


@dataclass
class Time:
    """A clock that only sleeping moves on."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Return the seconds so far."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Pass ``seconds``."""
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Inbox:
    """Takes a number of records, then no more."""

    room: int = 100
    taken: list[Observation] = field(default_factory=list)

    async def append(
        self, topic: str, key: bytes, value: bytes, *, headers: KafkaHeaders
    ) -> tuple[int, int]:
        """Append as the real one does."""
        assert (topic, key) == (TOPICS.inbox, b"the key")
        if len(self.taken) == self.room:
            raise NotDurable("Kafka is away")
        self.taken.append(Observation.from_record(headers, value))
        return 0, len(self.taken)


def found(letter: str, reason: str = "bad-field") -> Found:
    """Return a letter that was found."""
    return Found(letter, reason, 1, NOW, 0, 0)


@pytest.fixture(autouse=True)
def _letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every letter be there that does not say otherwise by its id."""

    async def read(_: Clients, __: str, letters: Collection[Found]) -> AsyncGenerator[Row, None]:
        observation = Observation("shop", Origin.WEBHOOK, "t", NOW, b"body", verdict="no")
        headers = [*observation.headers(), ("payevents-inbox-key", b"the key")]
        for letter in letters:
            if letter.id != "gone":
                strange = [] if letter.id == "strange" else headers
                yield Row(letter.id.encode(), b"body", strange)

    monkeypatch.setattr(redriving, "read_letters", read)


async def test_letters_are_sent_under_their_ids_without_the_old_verdict() -> None:
    """What cannot be sent is told with the reason; the others go."""
    inbox, time = Inbox(), Time()
    letters = [found("a"), found("x", "not-an-observation"), found("gone"), found("strange")]
    outcome = await redrive(
        CLIENTS,
        cast("Appender", inbox),
        TOPICS,
        letters,
        Pace(10, time.monotonic, time.sleep),
        missing=["nobody"],
    )
    assert outcome.ids == ["a"]
    assert outcome.refused.keys() == {"x", "gone", "strange", "nobody"}
    [observation] = inbox.taken
    assert (observation.letter_id, observation.verdict) == ("a", None)
    assert (observation.body, observation.received_at) == (b"body", NOW)


def test_what_cannot_be_sent_is_known_beforehand() -> None:
    """A dry run can refuse what the run would: ids that there are not, and foreign records."""
    refused = refusals([found("a"), found("x", "not-an-observation")], ["nobody"])
    assert refused == {
        "nobody": "there is no such letter",
        "x": "it was not written by payevents and never can be read",
    }


async def test_no_more_a_second_than_allowed() -> None:
    """The first goes at once, and each other one when its turn comes."""
    inbox, time = Inbox(), Time()
    pace = Pace(4, time.monotonic, time.sleep)
    letters = [found(str(number)) for number in range(9)]
    await redrive(CLIENTS, cast("Appender", inbox), TOPICS, letters, pace)
    assert time.now == pytest.approx(2.0)


async def test_a_pause_is_not_made_up_for() -> None:
    """After a hold-up the rate is the same as before, not higher."""
    time = Time()
    pace = Pace(4, time.monotonic, time.sleep)
    await pace.wait()
    time.now += 100
    for _ in range(3):
        await pace.wait()
    assert sum(time.slept) == pytest.approx(0.5)


async def test_kafka_lost_on_the_way_tells_how_many_were_sent() -> None:
    """Whoever reads it knows that running it again is safe."""
    inbox, time = Inbox(room=2), Time()
    pace = Pace(1000, time.monotonic, time.sleep)
    letters = [found(letter) for letter in "abc"]
    with pytest.raises(RedriveStopped, match=r"2 of 3 letters were sent.*again is safe"):
        await redrive(CLIENTS, cast("Appender", inbox), TOPICS, letters, pace)
