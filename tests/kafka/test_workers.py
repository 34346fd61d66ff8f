"""Several workers behind one port, on a real cluster: as one process, but for what they can do."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.kafka.cluster import Cluster
from tests.kafka.test_operator import ask, eventually, until_it_is
from tests.kafka.test_spine import made, read
from tests.support.configuration import service_config
from tests.support.judge import judge
from tests.support.payevents import Payevents
from tests.support.webhooks import Sender, Webhook, lives, post

WORKERS = 2
END_WITHIN = 30.0
"""Seconds, the drain of the load balancers included: what docs/operations.md promises."""


@pytest.fixture
def service(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> Iterator[Payevents]:
    """Return the running service, of two workers."""
    servers = kafka_cluster.bootstrap_servers
    config = made(service_config(servers, topic_prefix, tmp_path / "spool"), tmp_path)
    with Payevents(config, tmp_path, "payevents", "--workers", str(WORKERS)) as running:
        for _ in range(WORKERS):
            running.await_line("Kafka takes records")
        yield running


@dataclass(slots=True)
class Stranger(Sender):
    """Sends each webhook over a connection of its own, and counts those cut off or not made."""

    broken: int = 0

    async def _accepted(self, session: aiohttp.ClientSession, webhook: Webhook) -> bool:
        del session
        try:
            return await post(self.urls[0], webhook) == 200
        except aiohttp.ClientError:
            self.broken += 1
        return False


class Traffic:
    """Webhooks without an end, each over a connection of its own, until it is told to finish."""

    def __init__(self, service: Payevents) -> None:
        self._service = service
        self._enough = False
        self._invoices = 0
        self.sender = Stranger([f"{service.webhooks}/shop"])
        self._sending = asyncio.create_task(self.sender.send(self._webhooks()))

    async def more(self, count: int) -> None:
        """Wait until so many more were answered 200."""
        wanted = self.sender.accepted + count

        async def accepted() -> bool:
            return self.sender.accepted >= wanted

        await eventually(accepted, "the traffic stands still")

    async def finish(self) -> int:
        """Send what was begun, to where the service is now; return how many facts there are."""
        self.sender.urls[:] = [f"{self._service.webhooks}/shop"]
        self._enough = True
        await self._sending
        return 2 * self._invoices

    def _webhooks(self) -> Iterator[Webhook]:
        while not self._enough:
            yield from lives(1, f"i{self._invoices}-")
            self._invoices += 1


async def published_once(cluster: Cluster, prefix: str, count: int) -> None:
    """Assert that so many facts were published, each once and in order."""
    verdict = judge(await read(cluster, prefix, "payments.invoices", count))
    assert verdict.clean, verdict
    assert len(verdict.facts()) == len(verdict.events) == count


async def status(service: Payevents) -> dict[str, Any]:
    """Return the status."""
    code, told = await ask(f"{service.admin}/v1/status")
    assert code == 200
    return dict(told)


async def counted(service: Payevents, name: str) -> dict[str, float]:
    """Return the sums of a counter's samples by worker."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{service.admin}/metrics") as answer,
    ):
        text = await answer.text()
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name:
                worker = sample.labels["worker"]
                sums[worker] = sums.get(worker, 0) + sample.value
    return sums


async def test_workers_share_the_port_and_the_work(
    service: Payevents, kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """Every webhook gets its 200 from one of them, and its events once; one admin listener tells.

    Shards are spread over the workers, and each is told of with its worker.
    """
    webhooks = lives(200)
    sender = Stranger([f"{service.webhooks}/shop"])
    await sender.send([*webhooks, *webhooks])
    assert sender.refused == 0
    await published_once(kafka_cluster, topic_prefix, len(webhooks))
    answered = await counted(service, "payevents_webhooks_total")
    assert sum(answered.values()) == 2 * len(webhooks)
    assert set(answered) == {"0", "1"}
    assert all(count > len(webhooks) / 4 for count in answered.values())
    events = await counted(service, "payevents_events_total")
    assert sum(events.values()) == len(webhooks)

    async def spread() -> bool:
        shards = (await status(service))["shards"]
        running = [shard for shard in shards if shard["state"] == "running"]
        places = {(shard["role"], shard["partition"]) for shard in running}
        owners = {(shard["role"], shard["worker"]) for shard in running}
        return len(running) == len(places) == 8 and len(owners) == 2 * WORKERS

    await eventually(spread, "the shards were not spread over the workers")
    report = await until_it_is(service, "ok")
    assert set(report["parts"]) == {"worker-0", "worker-1"}
    told = await status(service)
    assert [(each["worker"], each["state"]) for each in told["workers"]] == [
        (0, "serving"),
        (1, "serving"),
    ]
    [account] = told["accounts"]
    assert account["care"]["calls_allowed"] > 0
    assert account["worker"] in {0, 1}
    code, listed = await ask(f"{service.admin}/v1/watches")
    assert (code, {watch["account"] for watch in listed["watches"]}) == (200, {"shop"})


async def test_a_worker_that_is_killed_under_load(
    service: Payevents, kafka_cluster: Cluster, topic_prefix: str
) -> None:
    """The others take the connections, what got 200 is published, and it comes back by itself."""
    traffic = Traffic(service)
    await traffic.more(100)
    before = (await status(service))["workers"]
    killed = before[1]["pid"]
    os.kill(killed, signal.SIGKILL)
    await asyncio.to_thread(service.await_line, "a worker ended")

    async def is_back() -> bool:
        workers = (await status(service))["workers"]
        assert workers[0]["pid"] == before[0]["pid"]
        return bool(workers[1]["state"] == "serving" and workers[1]["pid"] != killed)

    await eventually(is_back, "the worker was not started again")
    answered = await counted(service, "payevents_webhooks_total")
    await traffic.more(100)
    assert (await counted(service, "payevents_webhooks_total"))["1"] > answered.get("1", 0)
    assert (await counted(service, "payevents_worker_restarts_total")) == {"0": 0, "1": 1}
    facts = await traffic.finish()
    sender = traffic.sender
    # No more than what it had under way when it died, handshakes included (the kernel resets
    # them with the listener); had its share of the port stayed, half of all would be refused.
    assert sender.refused == sender.broken <= sender.concurrency
    await published_once(kafka_cluster, topic_prefix, facts)


async def test_sigterm_under_load(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """All workers drain at the same time, and the whole ends with 0 in time; nothing is lost."""
    servers = kafka_cluster.bootstrap_servers
    config = service_config(servers, topic_prefix, tmp_path / "spool")
    config = config.replace('drain_delay = "0s"', 'drain_delay = "10s"')
    await asyncio.to_thread(made, config, tmp_path)
    with Payevents(config, tmp_path, "payevents", "--workers", str(WORKERS)) as service:
        traffic = Traffic(service)
        await traffic.more(100)
        began = time.monotonic()
        ending = asyncio.create_task(asyncio.to_thread(service.terminate, 2 * END_WITHIN))
        for _ in range(WORKERS):
            await asyncio.to_thread(service.await_line, "draining")
        code, report = await ask(f"{service.admin}/readyz")
        assert (code, report["parts"]["process"]["state"]) == (503, "failed")
        await traffic.more(20)
        assert traffic.sender.refused == 0
        assert await ending == 0
        assert time.monotonic() - began < END_WITHIN
        await asyncio.to_thread(service.start)
        await published_once(kafka_cluster, topic_prefix, await traffic.finish())
