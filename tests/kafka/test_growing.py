"""Growing: from 4 partitions to 12 while webhooks arrive, without losing exactly-once."""

import asyncio
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from confluent_kafka import Producer

from receiver.kafka.clients import partition_for
from receiver.pairs import ledger_home, watchlist_home
from tests.kafka.cluster import Cluster
from tests.kafka.reader import Record, read_committed
from tests.kafka.test_spine import made, read
from tests.support.configuration import service_config
from tests.support.judge import judge
from tests.support.payevents import COMMAND, Payevents
from tests.support.webhooks import Sender, Webhook, invoice, lives, post

OLD, NEW = 4, 12
INVOICES = 400
TESTS = 40
CHERRIES = """
[accounts.cherries]
provider = "voucherry"
base_url = "http://127.0.0.1:9/api/v1"
auth_token = "a-token-of-the-tests"
[accounts.berries]
provider = "voucherry"
base_url = "http://127.0.0.1:9/api/v1"
auth_token = "another-token-of-the-tests"
"""
NONSENSE = [Webhook("invoice/paid", f"not json {number}".encode()) for number in range(20)]


class Deployment:
    """One configuration for the old number of partitions and one for the new."""

    def __init__(self, servers: str, prefix: str, folder: Path) -> None:
        self.prefix = prefix
        self._folder = folder
        self._started: list[Payevents] = []
        self.configs = {
            partitions: service_config(
                servers, prefix, folder, partitions=partitions, accounts=CHERRIES
            )
            for partitions in (OLD, NEW)
        }
        self.files = {partitions: folder / f"{partitions}.toml" for partitions in (OLD, NEW)}
        for partitions, config in self.configs.items():
            self.files[partitions].write_text(config)
        made(self.configs[OLD], folder)

    def start(self, partitions: int, roles: str) -> Payevents:
        """Start a replica that is configured for so many partitions."""
        name = f"{roles}-{len(self._started)}"
        replica = Payevents(self.configs[partitions], self._folder, name, "--roles", roles)
        self._started.append(replica)
        replica.start()
        return replica

    def stop(self) -> None:
        """End all replicas."""
        for replica in self._started:
            replica.__exit__()

    def command(self, *arguments: str, expect: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run a command with the new configuration to its end."""
        done = subprocess.run(
            [COMMAND, *arguments, "--config", self.files[NEW]],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def repartition_until(self, line: str) -> None:
        """Start a repartition, and kill it as soon as it says ``line``."""
        with subprocess.Popen(
            [COMMAND, "topics", "repartition", "--config", self.files[NEW]],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            said = []
            for said_now in process.stdout:
                said.append(said_now)
                if line in said_now:
                    os.kill(process.pid, signal.SIGKILL)
                    return
        raise AssertionError(f"it ended before it said {line!r}: {said}")


@pytest.fixture
def deployment(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    """Return a deployment whose topics have the old number of partitions."""
    deployment = Deployment(kafka_cluster.bootstrap_servers, topic_prefix, tmp_path)
    yield deployment
    deployment.stop()


class Arriving:
    """The webhooks that arrive meanwhile: those given, then new invoices, until there is enough."""

    def __init__(self, webhooks: list[Webhook]) -> None:
        self._webhooks = webhooks
        self.enough = False
        self.more = 0

    def __iter__(self) -> Iterator[Webhook]:
        """Yield one after another."""
        yield from self._webhooks
        while not self.enough:
            yield from lives(1, f"more-{self.more}-")
            self.more += 1


def sandboxed_invoices() -> list[Webhook]:
    """Return test data about invoices whose live namesakes are among the others."""
    return [invoice(f"i{number}", is_dummy=True) for number in range(TESTS)]


async def register(receiver: Payevents, account: str, number: int) -> None:
    """Have a transfer watched."""
    watch = {"account": account, "kind": "cherries_transfers", "id": str(number)}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{receiver.admin}/v1/watches", json=watch) as answer,
    ):
        assert answer.status == 202


async def until_routed(router: Payevents) -> None:
    """Wait until no record of the inbox waits."""
    async with asyncio.timeout(90), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{router.admin}/v1/status") as answer:
                shards = [s for s in (await answer.json())["shards"] if s["role"] == "route"]
            if len(shards) == NEW and all(shard["lag"] == 0 for shard in shards):
                return
            await asyncio.sleep(0.1)


def last_values(records: list[Record]) -> dict[tuple[int, bytes], bytes]:
    """Return what a compacted topic holds, by partition and key."""
    held: dict[tuple[int, bytes], bytes] = {}
    for record in records:
        assert record.key is not None
        if record.value is None:
            held.pop((record.partition, record.key), None)
        else:
            held[record.partition, record.key] = record.value
    return held


def assert_all_at_home(
    records: list[Record], home: Callable[[bytes, bytes], bytes | None]
) -> list[bytes]:
    """Assert that each entry is in its partition of the new number; return the keys."""
    keys = []
    for (partition, key), value in last_values(records).items():
        if key in {b"\x00barrier", b"\x00position"}:
            continue
        place = home(key, value)
        assert place is not None, key
        assert partition_for(place, NEW) == partition, key
        keys.append(key)
    return keys


def scatter(servers: str, records: list[Record]) -> None:
    """Append each record again, into a partition where it does not belong."""
    producer = Producer({"bootstrap.servers": servers})
    for record in records:
        elsewhere = (partition_for(record.key or b"", NEW) + 1) % NEW
        headers: list[tuple[str, Any]] = list(record.headers)
        producer.produce(
            record.topic, record.value, record.key, partition=elsewhere, headers=headers
        )
    producer.flush(30)


def times_handled(inbox: list[Record]) -> Counter[bytes | None]:
    """Return how often each nonsense was handled: twice as it was sent, and each scattered record.

    Of what came before the receiver noticed that the topics have grown, ``inbox`` may hold the
    copy in its right partition, too.
    """
    nonsense = {webhook.body for webhook in NONSENSE}
    held = Counter(record.value for record in inbox if record.value in nonsense)
    return Counter({body: 2 + copies for body, copies in held.items()})


@pytest.mark.timeout(400)
async def test_growing_while_webhooks_arrive(
    deployment: Deployment, kafka_cluster: Cluster
) -> None:
    """Live, test and repeated webhooks, dead letters and watches: all of it exactly once.

    The receiver is never told that the topics have grown, and the first run is killed.
    """
    servers, prefix = kafka_cluster.bootstrap_servers, deployment.prefix
    receiver = await asyncio.to_thread(deployment.start, OLD, "receive")
    before = await asyncio.to_thread(deployment.start, OLD, "route,poll")
    url = f"{receiver.webhooks}/shop"
    webhooks = lives(INVOICES)
    sender = Sender([url], concurrency=4)
    first, rest = webhooks[: INVOICES // 2], webhooks[INVOICES // 2 :]
    await sender.send([*first, *sandboxed_invoices(), *NONSENSE])
    for number in range(5):
        await register(receiver, "cherries", number)
        await register(receiver, "berries", number)
    await read(kafka_cluster, prefix, "payments.invoices", len(first) // 2)
    await read(kafka_cluster, prefix, "payevents.dead-letters", len(NONSENSE))
    grow = partial(asyncio.to_thread, deployment.command, "topics", "repartition")
    refused = await grow(expect=1)
    assert "routers or pollers run" in refused.stderr
    assert await asyncio.to_thread(before.terminate) == 0

    arriving = Arriving([*first[:100], *rest])
    traffic = asyncio.create_task(sender.send(arriving))
    dry = await asyncio.to_thread(
        deployment.command, "topics", "repartition", "--dry-run", "--json"
    )
    [of_ledger, of_watchlist] = json.loads(dry.stdout)["tables"]
    assert of_ledger["to_move"] > 0
    assert of_watchlist["entries"] >= 10
    await asyncio.to_thread(deployment.repartition_until, "ledger: partitions marked")
    accepted = sender.accepted
    grown = await grow()
    assert sender.accepted > accepted
    assert not traffic.done()
    assert "Start the routers" in grown.stdout
    after = await asyncio.to_thread(deployment.start, NEW, "route,poll")
    arriving.enough = True
    await traffic
    invoices = INVOICES + arriving.more + 1
    await register(receiver, "cherries", 5)
    await sender.send([*webhooks, *sandboxed_invoices(), *NONSENSE])
    inbox = await read(kafka_cluster, prefix, "payevents.inbox", 1)
    await asyncio.to_thread(scatter, servers, inbox)
    assert await post(url, invoice("the-last")) == 200

    expected = times_handled(inbox)
    letters = await read(kafka_cluster, prefix, "payevents.dead-letters", expected.total())
    await until_routed(after)
    live = judge(await read(kafka_cluster, prefix, "payments.invoices", 2 * invoices - 1))
    test = judge(await read(kafka_cluster, prefix, "payments.test", TESTS))
    assert live.clean, live
    assert test.clean, test
    assert len(live.facts()) == len(live.events) == 2 * invoices - 1
    assert len(test.facts()) == len(test.events) == TESTS
    counts = {record.value: dict(record.headers)["payevents-count"] for record in letters}
    assert counts == {body: str(times).encode() for body, times in expected.items()}
    tables = (f"{prefix}payevents.ledger", f"{prefix}payevents.watchlist")
    ledger, watchlist = [await asyncio.to_thread(read_committed, servers, [t]) for t in tables]
    assert len(assert_all_at_home(ledger, ledger_home)) == invoices + TESTS + len(NONSENSE)
    kept = assert_all_at_home(watchlist, watchlist_home)
    assert sum(b"_transfers/" in key for key in kept) == 11
