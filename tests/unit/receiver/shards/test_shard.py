"""The life of a shard, without Kafka: whatever ends it but its owner, it starts again."""

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import cast

from aiokafka.errors import TopicAuthorizationFailedError
from structlog.testing import capture_logs

from receiver.kafka.clients import Clients
from receiver.observability.alarms import Alarms
from receiver.shards.freshness import Freshness
from receiver.shards.open_shard import OpenShard, ShardSpec
from receiver.shards.session import SessionLost
from receiver.shards.shard import Shard, ShardState
from tests.unit.receiver.polling.virtual import virtual

SPEC = ShardSpec("route", "app", "in", "table")


class FailingShard(Shard):
    """A shard that runs for ``seconds`` at each start, then fails with what ``failure`` returns.

    The group counts it in all the time, unless told otherwise.
    """

    def __init__(
        self,
        failure: Callable[[], BaseException],
        seconds: float,
        freshness: Freshness | None = None,
    ) -> None:
        alarms = Alarms(lambda: datetime(2026, 1, 1, tzinfo=UTC))
        fresh = freshness or always_fresh()
        super().__init__(cast("Clients", None), SPEC, 0, _no_work, alarms, fresh)
        self.starts: list[float] = []
        self._failure = failure
        self._seconds = seconds

    async def _live(self) -> None:
        self.starts.append(asyncio.get_running_loop().time())
        self._enter(ShardState.RUNNING)
        await asyncio.sleep(self._seconds)
        raise self._failure()


def always_fresh() -> Freshness:
    """Return the freshness of a member whose session never runs out."""
    freshness = Freshness(session=math.inf)
    freshness.confirm(0.0)
    return freshness


async def _no_work(_: OpenShard) -> None:
    """Do nothing: the failing shard never gets so far."""


async def starts_within(seconds: float, shard: FailingShard) -> list[float]:
    """Return when ``shard`` started, and end it."""
    life = asyncio.create_task(shard.run())
    await asyncio.sleep(seconds)
    assert not life.done(), "the shard ended by itself"
    life.cancel()
    await asyncio.wait([life])
    assert life.cancelled()
    return shard.starts


@virtual
async def test_a_cancellation_that_nobody_asked_for_does_not_end_it() -> None:
    """Something waited for was cancelled: the shard starts again, and still can be ended."""
    starts = await starts_within(60.0, FailingShard(asyncio.CancelledError, 1.0))
    assert len(starts) > 5


@virtual
async def test_what_fails_at_once_again_and_again_is_tried_less_often() -> None:
    """Each start restores a whole table: a record that always fails must not cost all there is."""
    starts = await starts_within(600.0, FailingShard(ValueError, 0.01))
    assert starts[1] - starts[0] < 0.1
    assert starts[-1] - starts[-2] > 4.0


@virtual
async def test_what_ran_well_starts_again_at_once() -> None:
    """A shard that worked for a while lost its session to the cluster, and is missed."""
    starts = await starts_within(600.0, FailingShard(ValueError, 30.0))
    pauses = [later - earlier - 30.0 for earlier, later in pairwise(starts)]
    assert len(pauses) > 10
    assert max(pauses) < 0.1


class FailingToEnd(FailingShard):
    """A shard that fails once while it throws its session away."""

    async def _live(self) -> None:
        try:
            await super()._live()
        finally:
            if len(self.starts) == 1:
                raise ValueError


@virtual
async def test_it_ends_with_its_ownership_even_if_ending_fails() -> None:
    """A shard that is released does not go on because what came of its session was an error."""
    shard = FailingToEnd(ValueError, 30.0)
    life = asyncio.create_task(shard.run())
    await asyncio.sleep(10.0)
    life.cancel()
    done, _ = await asyncio.wait([life], timeout=10.0)
    assert done
    assert len(shard.starts) == 1


@virtual
async def test_it_starts_again_only_once_the_group_counts_us_in() -> None:
    """Another may own the partition where the group was silent: to start would be to fence it."""
    freshness = Freshness(session=10.0)
    freshness.confirm(0.0)
    shard = FailingShard(SessionLost, 30.0, freshness)
    life = asyncio.create_task(shard.run())
    await asyncio.sleep(100.0)
    assert shard.starts == [0.0]
    freshness.confirm(95.0)
    await asyncio.sleep(1.0)
    assert shard.starts == [0.0, 100.0]
    life.cancel()
    await asyncio.wait([life])


@virtual
async def test_it_starts_again_at_once_while_that_is_known() -> None:
    """A session that is lost while heartbeats are answered costs nobody a wait."""
    freshness = Freshness(session=10.0)
    freshness.confirm(0.0)
    starts = await starts_within(9.0, FailingShard(SessionLost, 5.0, freshness))
    assert starts[1] < 5.1


@virtual
async def test_a_right_that_is_missed_at_work_is_one_lasting_alarm() -> None:
    """The shard runs again and again for a moment: the alarm does not end with each."""
    shard = FailingShard(_forbidden, 0.2)
    life = asyncio.create_task(shard.run())
    with capture_logs() as logs:
        await asyncio.sleep(300.0)
    [alarm] = shard._alarms.present
    assert alarm.code == "broken-route-shard-0"
    assert "the topic payments.invoices" in alarm.why
    assert len([each for each in logs if each["event"] == "alarm"]) == 1
    assert len([each for each in logs if each["event"] == "the shard starts again"]) == 5
    life.cancel()
    await asyncio.wait([life])


def _forbidden() -> SessionLost:
    error = SessionLost("the transaction did not end")
    error.__cause__ = TopicAuthorizationFailedError("payments.invoices")
    return error
