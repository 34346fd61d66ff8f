"""Membership without Kafka: whatever befalls its consumer, another one takes its place."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

import pytest
from aiokafka.errors import GroupAuthorizationFailedError
from structlog.testing import capture_logs

from receiver.kafka.clients import Clients, Timeouts
from receiver.observability.alarms import Alarms
from receiver.shards.membership import Membership
from receiver.shards.open_shard import OpenShard, ShardSpec
from tests.unit.receiver.polling.virtual import virtual

Step: TypeAlias = Callable[[], Awaitable[object]]


async def nothing() -> dict[object, object]:
    """Answer as if all were well, after a while."""
    await asyncio.sleep(0.2)
    return {}


async def never() -> None:
    """Wait for ever, as aiokafka does for a task that has ended."""
    await asyncio.get_running_loop().create_future()


async def fail() -> None:
    """Fail as uvloop does, and as nobody expects."""
    message = "unable to perform operation on <TCPTransport>; the handler is closed"
    raise RuntimeError(message)


async def be_cancelled_inside() -> None:
    """Fail as aiokafka does where it closes a connection that others wait for."""
    raise asyncio.CancelledError


async def be_forbidden() -> None:
    """Fail for want of a right."""
    raise GroupAuthorizationFailedError("app-route")


class FakeMember:
    """A consumer in a group that says nothing."""

    def __init__(self, start: Step, fetch: Step) -> None:
        self.start = start
        self._fetch = fetch
        self._client = SimpleNamespace(send=never, close=self.close, _conns={})

    def subscribe(self, topics: list[str], *, listener: object) -> None:
        """Do nothing."""

    async def getmany(self, *, timeout_ms: int) -> object:
        """Fetch."""
        del timeout_ms
        return await self._fetch()

    async def close(self) -> None:
        """Close the connections."""

    async def stop(self) -> None:
        """Fail, as one does whose metadata task has ended by an error."""
        await fail()


class Members:
    """A membership, and the consumers with which it takes part."""

    def __init__(self, **steps: Step) -> None:
        self.made: list[FakeMember] = []
        self.alarms = Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC))
        self._steps = {"start": nothing, "fetch": nothing, **steps}
        clients = cast("Clients", SimpleNamespace(member=self._member, timeouts=Timeouts()))
        spec = ShardSpec("route", "app", "in", "table")
        self._membership = Membership(clients, spec, _no_work, self.alarms)

    def _member(self, _: str) -> Any:
        self.made.append(FakeMember(**self._steps))
        return self.made[-1]

    @asynccontextmanager
    async def taking_part(self, seconds: float) -> AsyncIterator[None]:
        """Take part; go on after so long, while it still does."""
        task = asyncio.create_task(self._membership.run())
        await asyncio.sleep(seconds)
        assert not task.done(), "membership ended by itself"
        yield
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def _no_work(_: OpenShard) -> None: ...


async def members_made(seconds: float, **steps: Step) -> int:
    """Take part for so long with consumers that do this; return how many there were."""
    members = Members(**steps)
    async with members.taking_part(seconds):
        return len(members.made)


@pytest.mark.parametrize("step", ["start", "fetch"])
@pytest.mark.parametrize("trouble", [fail, be_cancelled_inside])
def test_an_unexpected_error_does_not_end_it(step: str, trouble: Step) -> None:
    """It would be the end of the whole process: also a cancellation that was not ours."""

    @virtual
    async def check() -> None:
        assert await members_made(60.0, **{step: trouble}) > 10

    check()


@virtual
async def test_a_consumer_that_ends_by_a_cancellation_does_not_end_it() -> None:
    """Closing a consumer may wait for a connection that is cancelled meanwhile."""
    members = Members(fetch=fail)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeMember, "close", lambda _: be_cancelled_inside())
        async with members.taking_part(60.0):
            assert len(members.made) > 10


@virtual
async def test_a_cancellation_that_aiokafka_swallows_ends_it_all_the_same() -> None:
    """It suppresses one where it waits for its own tasks; nobody cancels twice."""

    async def swallow() -> None:
        try:
            await never()
        except asyncio.CancelledError:
            await fail()

    members = Members(fetch=swallow)
    async with members.taking_part(30.0):
        pass
    assert len(members.made) == 1


@virtual
async def test_the_same_trouble_is_told_once_a_minute() -> None:
    """It comes every second while Kafka is away, and would bury all else in the log."""
    with capture_logs() as logs:
        async with Members(fetch=fail).taking_part(150.0):
            told = [each for each in logs if each["event"] == "membership starts again"]
    assert len(told) == 3


@virtual
async def test_a_missing_right_is_an_alarm() -> None:
    """Only a person can give it, so a person is told which it is."""
    members = Members(fetch=be_forbidden)
    async with members.taking_part(10.0):
        [alarm] = members.alarms.present
    assert alarm.code == "kafka-forbids-route"
    assert "the consumer group app-route" in alarm.why
    assert "Read on it" in alarm.remedy


@pytest.mark.parametrize("fetch", [nothing, never])
def test_a_silent_coordinator_is_asked_by_another_consumer(fetch: Step) -> None:
    """Also where aiokafka waits for ever, as for metadata that nobody fetches any more."""

    @virtual
    async def check() -> None:
        assert await members_made(50.0, fetch=fetch) == 1
        assert await members_made(150.0, fetch=fetch) == 3

    check()
