"""Each build with a fault is caught, in a scenario that the sound build passes."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, but not in __all__
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from tests.kafka.closing import closing_in_time
from tests.kafka.cluster import Cluster
from tests.kafka.readiness import QUIET
from tests.sabotage.scenario import SOUND, Scenario, invoices
from tests.support.payevents import Payevents

FENCED = "another owner took this partition over"


@pytest.fixture
async def scenario(
    build: str, kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Scenario]:
    """Return an empty stage on one broker, for the build that the test is run with."""
    async with Scenario(build, kafka_cluster, topic_prefix, tmp_path) as stage:
        yield stage


def limit_events(scenario: Scenario, size: int) -> None:
    """Have the brokers refuse batches of events larger than ``size`` bytes."""
    client = AdminClient({"bootstrap.servers": scenario.cluster.bootstrap_servers, **QUIET})
    limit = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    topic = f"{scenario.prefix}payments.invoices"
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[limit])
    for done in client.incremental_alter_configs([resource]).values():
        done.result()


@pytest.mark.parametrize("build", [SOUND, "sends-unchecked"])
async def test_a_record_that_the_broker_refuses(scenario: Scenario, build: str) -> None:
    """A commit that did not look at its sends loses an event that its ledger holds."""
    replica = await scenario.start("payevents", "receive,route")
    await scenario.send(replica, invoices(0, 1))
    await scenario.until_routed()
    await asyncio.to_thread(limit_events, scenario, 100)
    await scenario.send(replica, invoices(1, 1))
    if build == SOUND:
        await asyncio.to_thread(replica.await_line, "the shard starts again")
    else:
        await scenario.until_routed()
    await asyncio.to_thread(limit_events, scenario, 1_000_000)
    await scenario.send(replica, invoices(2, 1))
    await scenario.until_routed()
    findings = await scenario.findings()
    assert findings.clean if build == SOUND else findings.lost, findings


@pytest.mark.parametrize("build", [SOUND, "ledger-forgotten"])
async def test_a_restart_and_everything_once_more(scenario: Scenario, build: str) -> None:
    """A new owner that does not know what was published publishes it again."""
    receiver = await scenario.start("receiver", "receive")
    router = await scenario.start("router", "route")
    await scenario.send(receiver, invoices(0, 20))
    await scenario.until_routed()
    await asyncio.to_thread(router.terminate)
    await asyncio.to_thread(router.start)
    await scenario.send(receiver, invoices(0, 20))
    await scenario.until_routed()
    findings = await scenario.findings()
    assert findings.clean if build == SOUND else findings.duplicated, findings


@pytest.mark.parametrize("build", [SOUND, "unfenced"])
async def test_an_owner_that_was_frozen(scenario: Scenario, build: str) -> None:
    """A thawed owner that nobody fenced publishes what its heir has published."""
    receiver = await scenario.start("receiver", "receive")
    zombie = await scenario.start("zombie", "route")
    await scenario.send(receiver, invoices(0, 20))
    await scenario.until_routed()
    zombie.pause()
    heir = await scenario.start("heir", "route")
    await asyncio.to_thread(heir.await_line, "the shard runs")
    await scenario.send(receiver, invoices(20, 100))
    await scenario.until_routed()
    await asyncio.to_thread(zombie.await_line, "partitions assigned")
    zombie.resume()
    await asyncio.to_thread(zombie.await_line, "partitions assigned")
    await scenario.send(receiver, invoices(120, 20))
    await scenario.until_routed()
    findings = await scenario.findings()
    assert findings.clean if build == SOUND else findings.duplicated, findings


@pytest.mark.parametrize("build", [SOUND, "spool-answers-early"])
async def test_a_spool_whose_process_is_killed(scenario: Scenario, build: str) -> None:
    """A spool that answers before its commit loses what its process still held."""
    await asyncio.to_thread(scenario.cluster.kill, 0)
    replica = await scenario.start("payevents", "receive,route")
    await scenario.send(replica, invoices(0, 20))
    await asyncio.to_thread(replica.kill)
    await asyncio.to_thread(scenario.cluster.restart, 0)
    await asyncio.to_thread(replica.start)
    if build == SOUND:
        await asyncio.to_thread(replica.await_line, "a spool was found")
    await scenario.send(replica, invoices(20, 1))
    await scenario.until_drained()
    await scenario.until_routed()
    findings = await scenario.findings()
    assert findings.clean if build == SOUND else findings.lost, findings


@pytest.mark.parametrize("build", [SOUND, "fenced-starts-again"])
async def test_an_owner_that_is_fenced(scenario: Scenario, build: str) -> None:
    """A thawed owner that starts again at once steals its partition back from its heir.

    The heir is frozen meanwhile: the group cannot tell the thawed one who owns what before.
    """
    receiver = await scenario.start("receiver", "receive")
    zombie = await scenario.start("zombie", "route")
    for line in ("partitions assigned", "the shard runs"):
        await asyncio.to_thread(zombie.await_line, line)
    zombie.pause()
    heir = await scenario.start("heir", "route")
    await asyncio.to_thread(heir.await_line, "the shard runs")
    await scenario.send(receiver, invoices(0, 20))
    await scenario.until_routed()
    heir.pause()
    zombie.resume()
    await asyncio.to_thread(zombie.await_line, FENCED)
    if build != SOUND:
        await asyncio.to_thread(zombie.await_line, "the shard runs")
    heir.resume()
    await asyncio.to_thread(zombie.await_line, "partitions assigned")
    await scenario.send(receiver, invoices(20, 20))
    await scenario.until_routed()
    findings = await scenario.findings()
    assert findings.clean, findings
    assert ran_unasked(zombie) == (build != SOUND), zombie.log()


def ran_unasked(replica: Payevents) -> bool:
    """Tell whether a shard ran after it was fenced and before the group assigned it anew."""
    lines = [json.loads(line)["message"] for line in replica.log().splitlines()]
    after = lines[lines.index(FENCED) :]
    return "the shard runs" in after[: after.index("partitions assigned")]


@pytest.fixture
async def three(
    build: str, kafka_three: Cluster, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Scenario]:
    """Return an empty stage on three brokers, the first of which leads the inbox and the ledger."""
    await asyncio.to_thread(lead_by_the_first, kafka_three, topic_prefix)
    async with Scenario(build, kafka_three, topic_prefix, tmp_path) as stage:
        yield stage


def lead_by_the_first(cluster: Cluster, prefix: str) -> None:
    """Make the two topics of a router with a replica on each broker, the first one leading."""
    client = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, **QUIET})
    topics = [
        NewTopic(f"{prefix}payevents.{name}", 1, replica_assignment=[cluster.running])
        for name in ("inbox", "ledger")
    ]
    for done in client.create_topics(topics).values():
        done.result()
    cluster.await_ready(topics=[topic.topic for topic in topics])


def end_by(servers: str, topic: str) -> int:
    """Return the end of a partition as those brokers tell it."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "asks", **QUIET})
    with closing_in_time(consumer) as asking:
        _, end = asking.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
    return end


@pytest.mark.timeout(300)
@pytest.mark.parametrize("build", [SOUND, "restored-to-the-end-offset"])
async def test_a_takeover_beside_a_leader_that_was_frozen(three: Scenario, build: str) -> None:
    """A table read up to the end that a thawed leader names misses what others wrote meanwhile.

    The others are frozen while it is read, or the thawed one would soon learn that it leads no
    more: what else is a question of milliseconds lasts as long as the test needs.
    """
    cluster, ledger = three.cluster, f"{three.prefix}payevents.ledger"
    receiver = await three.start("receiver", "receive")
    first = await three.start("first", "route")
    await three.send(receiver, invoices(0, 20))
    await three.until_routed()
    cluster.pause(0)
    await three.send(receiver, invoices(20, 20))
    await three.until_routed()
    others = ",".join(cluster.address(node) for node in (1, 2))
    end = await asyncio.to_thread(end_by, others, ledger)
    await asyncio.to_thread(first.terminate)
    heir, gate = await three.start_gated("heir", others)
    await asyncio.to_thread(heir.await_line, "at the gate")
    for node in (1, 2):
        cluster.pause(node)
    cluster.resume(0)
    gate.write_text(cluster.address(0))
    if build == SOUND:
        named = await asyncio.to_thread(end_by, cluster.address(0), ledger)
    else:
        named = (await asyncio.to_thread(heir.await_line, "restored to the end"))["end"]
    assert named < end
    for node in (1, 2):
        cluster.resume(node)
    await three.send(receiver, invoices(40, 1))
    await three.until_routed()
    findings = await three.findings()
    assert findings.clean if build == SOUND else findings.duplicated, findings
