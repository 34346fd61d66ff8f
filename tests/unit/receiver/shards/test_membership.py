"""Membership without Kafka: whatever befalls its consumer, another one takes its place."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

import pytest

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


class FakeMember:
    """A consumer in a group that says nothing."""

    def __init__(self, start: Step, fetch: Step) -> None:
        self.start = start
        self._fetch = fetch
        self._client = SimpleNamespace(send=never, close=nothing, _conns={})

    def subscribe(self, topics: list[str], *, listener: object) -> None:
        """Do nothing."""

    async def getmany(self, *, timeout_ms: int) -> object:
        """Fetch."""
        del timeout_ms
        return await self._fetch()

    async def stop(self) -> None:
        """Fail, as one does whose metadata task has ended by an error."""
        await fail()


async def members_made(seconds: float, **steps: Step) -> int:
    """Take part for so long with consumers that do this; return how many there were."""
    made: list[FakeMember] = []

    def member(_: str) -> Any:
        made.append(FakeMember(**{"start": nothing, "fetch": nothing, **steps}))
        return made[-1]

    async def work(_: OpenShard) -> None: ...

    clients = cast("Clients", SimpleNamespace(member=member, timeouts=Timeouts()))
    alarms = Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    membership = Membership(clients, ShardSpec("route", "app", "in", "table"), work, alarms)
    taking_part = asyncio.create_task(membership.run())
    await asyncio.sleep(seconds)
    assert not taking_part.done(), "membership ended by itself"
    taking_part.cancel()
    await asyncio.wait([taking_part])
    assert taking_part.cancelled()
    return len(made)


@pytest.mark.parametrize("step", ["start", "fetch"])
def test_an_unexpected_error_does_not_end_it(step: str) -> None:
    """It would be the end of the whole process."""

    @virtual
    async def check() -> None:
        assert await members_made(60.0, **{step: fail}) > 10

    check()


@pytest.mark.parametrize("fetch", [nothing, never])
def test_a_silent_coordinator_is_asked_by_another_consumer(fetch: Step) -> None:
    """Also where aiokafka waits for ever, as for metadata that nobody fetches any more."""

    @virtual
    async def check() -> None:
        assert await members_made(50.0, fetch=fetch) == 1
        assert await members_made(150.0, fetch=fetch) == 3

    check()
