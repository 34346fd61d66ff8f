"""The intake: Kafka first, then the spool, and what is said of it."""

import asyncio
import gc
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import cast

import pytest
from structlog.testing import capture_logs

from handlers.observation import Observation, Origin
from receiver.inbox import Inbox
from receiver.intake import Intake
from receiver.kafka.appender import NotDurable, RecordRefused
from receiver.kafka.batching import Told
from receiver.spool.errors import SpoolFull
from receiver.spool.file import Spooled
from receiver.spool.spool import Spool
from tests.unit.receiver.intakes import taken

OBSERVATION = Observation("shop", Origin.WEBHOOK, "t", datetime(2026, 1, 1, tzinfo=UTC), b"body")


@dataclass
class FakeInbox:
    """Takes observations, or is away, or refuses each for its size."""

    away: bool = False
    fails: bool = False
    refuses: bool = False

    @property
    def available(self) -> bool:
        """Tell whether it takes the next one."""
        return not self.away

    def begin(self, _: str, __: Observation, told: Told) -> None:
        """Append one."""
        if self.away:
            raise NotDurable("Kafka is away")
        if self.refuses:
            told(RecordRefused("it is too large"))
        else:
            told(NotDurable("no answer") if self.fails else 1)


@dataclass
class FakeSpool:
    """Keeps observations, or is full."""

    kept: list[Spooled] = field(default_factory=list)
    full: bool = False
    broken: bool = False
    hangs: asyncio.Event | None = None

    async def append(self, spooled: Spooled) -> None:
        """Keep one."""
        if self.hangs is not None:
            await self.hangs.wait()
        if self.broken:
            raise RuntimeError("a defect")
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
        return await taken(self.intake, OBSERVATION)


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


async def test_a_defect_is_told_too() -> None:
    """Whoever waits is told of it, whatever it is, and does not wait for ever."""
    stage = Stage(FakeInbox(away=True), FakeSpool(broken=True))
    with pytest.raises(RuntimeError, match="a defect"):
        await stage.accept()


async def test_what_kafka_gives_up_later_is_spooled_too() -> None:
    """An observation that was on its way goes to the spool when its batch has failed."""
    stage = Stage(FakeInbox(fails=True))
    assert not await stage.accept()
    assert [spooled.body for spooled in stage.spool.kept] == [b"body"]


def _note(told: asyncio.Event, _: object) -> None:
    told.set()


async def test_refusals_leave_nothing_behind() -> None:
    """Nobody has to wait for the garbage collector to be rid of them, and of what they hold."""
    stage = Stage(FakeInbox(away=True), FakeSpool(full=True))
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            told = asyncio.Event()
            stage.intake.take("key", OBSERVATION, partial(_note, told))
            await told.wait()
        await asyncio.sleep(0)
        assert not [each for each in gc.get_objects() if isinstance(each, NotDurable | SpoolFull)]
    finally:
        gc.enable()


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


async def test_what_kafka_refuses_for_its_size_is_no_change() -> None:
    """The others go where they went; however many come, the log has no line of it."""
    stage = Stage()
    with capture_logs() as lines:
        for refuses in (True, False, True, False):
            stage.inbox.refuses = refuses
            assert await stage.accept() is not refuses
    assert lines == []


async def test_what_was_spooled_late_is_no_change() -> None:
    """A slow disk may take the last ones when the next already go to Kafka."""
    stage = Stage(FakeInbox(away=True))
    with capture_logs() as lines:
        await stage.accept()
        stage.spool.hangs = asyncio.Event()
        late = asyncio.create_task(stage.accept())
        await asyncio.sleep(0)
        stage.inbox.away = False
        await stage.accept()
        stage.spool.hangs.set()
        assert await late is False
        await stage.accept()
    assert [line["event"] for line in lines] == [
        "webhooks go to the spool",
        "webhooks go to Kafka again",
    ]


async def test_what_kafka_takes_late_is_no_change() -> None:
    """A batch may be acknowledged after another one has shown that Kafka does not take them."""
    stage, told = Stage(), asyncio.Event()
    on_its_way: list[Told] = []
    with capture_logs() as lines:
        stage.inbox.begin = lambda *args: on_its_way.append(args[2])  # type: ignore[method-assign]
        stage.intake.take("key", OBSERVATION, partial(_note, told))
        del stage.inbox.begin
        stage.inbox.away = True
        await stage.accept()
        on_its_way[0](1)
        await told.wait()
        await stage.accept()
    assert [line["event"] for line in lines] == ["webhooks go to the spool"]
