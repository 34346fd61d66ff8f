"""Whoever dies, pauses or comes back: every fact exactly once, gapless, in order."""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kafka.cluster import Cluster
from tests.kafka.test_spine import made, read
from tests.support.configuration import service_config
from tests.support.judge import Verdict, judge
from tests.support.payevents import Payevents
from tests.support.webhooks import Sender, lives

INVOICES = 1500
PARTITIONS = 4
SESSION = 6.0
"""Seconds; as the configuration has it."""
ALLOWED = 6.0
"""Seconds for the assignment and the restore: one on a machine that has time."""

log = logging.getLogger(__name__)


@pytest.fixture
def start(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[..., Payevents]:
    """Return a function that starts a replica with the given roles."""
    config = made(service_config(kafka_cluster.bootstrap_servers, topic_prefix, tmp_path), tmp_path)

    def start_replica(name: str, roles: str) -> Payevents:
        replica = Payevents(config, tmp_path, name, "--roles", roles)
        request.addfinalizer(replica.__exit__)
        replica.start()
        return replica

    return start_replica


class Run:
    """Traffic through one receiver, while routers come and go."""

    def __init__(self, cluster: Cluster, prefix: str, receiver: Payevents) -> None:
        self._cluster = cluster
        self._prefix = prefix
        self.sender = Sender([f"{receiver.webhooks}/shop"], concurrency=4)
        self._task = asyncio.create_task(self.sender.send(lives(INVOICES)))

    async def until_accepted(self, count: int) -> None:
        """Wait until so many webhooks were answered 200, while the rest is under way."""
        while self.sender.accepted < count:
            assert not self._task.done(), "the traffic ended too early"
            await asyncio.sleep(0.01)

    async def until_published(self, count: int) -> None:
        """Wait until a reader has seen so many events."""
        await read(self._cluster, self._prefix, "payments.invoices", count)

    async def verdict(self) -> Verdict:
        """Wait for all traffic and all its events; return what the judge says."""
        await self._task
        records = await read(self._cluster, self._prefix, "payments.invoices", 2 * INVOICES)
        return judge(records)


def assert_exactly_once(verdict: Verdict) -> None:
    """Assert that each invoice was created and paid once, in order."""
    assert verdict.clean, verdict
    facts = verdict.facts()
    assert len(facts) == 2 * INVOICES
    assert set(facts.values()) == {1}


async def test_a_router_killed_in_the_middle_and_started_again(
    start: Callable[..., Payevents], kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """SIGKILL in the middle of a run, then a new router: nothing lost, nothing twice."""
    receiver = await asyncio.to_thread(start, "receiver", "receive")
    router = await asyncio.to_thread(start, "router", "route")
    run = Run(kafka_cluster, topic_prefix, receiver)
    for accepted in (INVOICES // 3, INVOICES):
        await run.until_accepted(accepted)
        await run.until_published(accepted // 2)
        await asyncio.to_thread(router.kill)
        await asyncio.to_thread(router.start)
    assert_exactly_once(await run.verdict())


async def test_a_second_replica_takes_partitions_over(
    start: Callable[..., Payevents], kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A replica that joins and one that is killed while traffic flows repeat and lose nothing."""
    receiver = await asyncio.to_thread(start, "receiver", "receive")
    first = await asyncio.to_thread(start, "first", "route")
    run = Run(kafka_cluster, topic_prefix, receiver)
    await run.until_accepted(INVOICES // 3)
    second = await asyncio.to_thread(start, "second", "route")
    await asyncio.to_thread(second.await_line, "the shard runs")
    await run.until_accepted(INVOICES)
    await asyncio.to_thread(first.kill)
    assert_exactly_once(await run.verdict())


async def test_a_dead_owner_is_replaced_once_its_session_has_ended(
    start: Callable[..., Payevents],
) -> None:
    """The heir routes all of its partitions within seconds of that."""
    owner = await asyncio.to_thread(start, "owner", "route")
    for _ in range(PARTITIONS):
        await asyncio.to_thread(owner.await_line, "the shard runs")
    heir = await asyncio.to_thread(start, "heir", "route")
    for _ in range(PARTITIONS // 2):
        await asyncio.to_thread(heir.await_line, "the shard runs")
    died = time.monotonic()
    await asyncio.to_thread(owner.kill)
    for _ in range(PARTITIONS // 2):
        await asyncio.to_thread(heir.await_line, "the shard runs")
    took = time.monotonic() - died
    log.info("replaced after %.1f s", took)
    assert took < SESSION + ALLOWED


async def test_an_owner_paused_past_its_session_is_fenced(
    start: Callable[..., Payevents], kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """An owner frozen until another took over, then thawed, publishes nothing more."""
    receiver = await asyncio.to_thread(start, "receiver", "receive")
    zombie = await asyncio.to_thread(start, "zombie", "route")
    await asyncio.to_thread(zombie.await_line, "the shard runs")
    run = Run(kafka_cluster, topic_prefix, receiver)
    await run.until_accepted(INVOICES // 2)
    zombie.pause()
    heir = await asyncio.to_thread(start, "heir", "route")
    for _ in range(4):
        await asyncio.to_thread(heir.await_line, "the shard runs")
    zombie.resume()
    await asyncio.to_thread(zombie.await_line, "another owner took this partition over")
    assert_exactly_once(await run.verdict())


async def test_sigterm_hands_over_at_once(
    start: Callable[..., Payevents], kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """A router that is asked to end does so with exit code 0, and its heir goes on."""
    receiver = await asyncio.to_thread(start, "receiver", "receive")
    router = await asyncio.to_thread(start, "router", "route")
    run = Run(kafka_cluster, topic_prefix, receiver)
    await run.until_accepted(INVOICES // 2)
    heir = await asyncio.to_thread(start, "heir", "route")
    assert await asyncio.to_thread(router.terminate) == 0
    assert heir.ports is not None
    assert_exactly_once(await run.verdict())
