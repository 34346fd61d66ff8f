"""The intake: Kafka first, then the spool, and what is said of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import pytest
from structlog.testing import capture_logs

from handlers.observation import Observation, Origin
from receiver.inbox import Inbox
from receiver.intake import Intake
from receiver.kafka.appender import NotDurable
from receiver.spool.errors import SpoolFull
from receiver.spool.file import Spooled
from receiver.spool.spool import Spool

OBSERVATION = Observation("shop", Origin.WEBHOOK, "t", datetime(2026, 1, 1, tzinfo=UTC), b"body")


@dataclass
class FakeInbox:
    """Takes observations, or is away."""

    away: bool = False

    async def append(self, _: str, __: Observation) -> None:
        """Append one."""
        if self.away:
            raise NotDurable("Kafka is away")


@dataclass
class FakeSpool:
    """Keeps observations, or is full."""

    kept: list[Spooled] = field(default_factory=list)
    full: bool = False

    async def append(self, spooled: Spooled) -> None:
        """Keep one."""
        if self.full:
            raise SpoolFull("it is full")
        self.kept.append(spooled)


@dataclass
class Stage:
    """An intake between an inbox and a spool."""

    inbox: FakeInbox = field(default_factory=FakeInbox)
    spool: FakeSpool = field(default_factory=FakeSpool)
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        self.intake = Intake(cast("Inbox", self.inbox), cast("Spool", self.spool))

    async def accept(self) -> bool:
        """Accept the observation."""
        return await self.intake.accept("key", OBSERVATION)


async def test_what_kafka_does_not_take_is_spooled_whole() -> None:
    """Key, headers and body are kept as they would stand in the inbox."""
    stage = Stage()
    assert await stage.accept()
    stage.inbox.away = True
    assert not await stage.accept()
    assert stage.spool.kept == [Spooled(b"key", OBSERVATION.headers(), b"body")]


async def test_what_nobody_takes_is_not_durable() -> None:
    """Both reasons are told."""
    stage = Stage(FakeInbox(away=True), FakeSpool(full=True))
    with pytest.raises(NotDurable, match=r"Kafka is away; it is full"):
        await stage.accept()


async def test_only_a_change_is_said() -> None:
    """However many webhooks come, the log has a line when they begin to be spooled, and the end."""
    stage = Stage()
    with capture_logs() as lines:
        for away in (False, False, True, True, True, False, False):
            stage.inbox.away = away
            await stage.accept()
    assert [line["event"] for line in lines] == [
        "webhooks go to the spool",
        "webhooks go to Kafka again",
    ]
    assert lines[0]["why"] == "Kafka is away"
