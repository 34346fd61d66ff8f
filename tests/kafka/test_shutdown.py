"""The end of a process under load: in time, with 0, and with nothing lost that was answered 200."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.kafka.cluster import Cluster
from tests.kafka.test_operator import eventually
from tests.kafka.test_spine import made, read
from tests.support.configuration import service_config
from tests.support.judge import judge
from tests.support.payevents import Payevents
from tests.support.webhooks import Sender, Webhook, lives

END_WITHIN = 30.0
"""Seconds, the drain of the load balancers included: what docs/operations.md promises."""

DRAIN = "5s"


@pytest.fixture
def service(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> Payevents:
    """Return the service, with the drain that it has by default, not started yet."""
    servers = kafka_cluster.bootstrap_servers
    config = service_config(servers, topic_prefix, tmp_path / "spool")
    config = config.replace('drain_delay = "0s"', f'drain_delay = "{DRAIN}"')
    return Payevents(made(config, tmp_path), tmp_path)


class Load:
    """Traffic without an end to a service that ends and is started again."""

    def __init__(self, service: Payevents, cluster: Cluster, prefix: str) -> None:
        self._service = service
        self._cluster = cluster
        self._prefix = prefix
        self._enough = False
        self._invoices = 0
        self._sender = Sender([], concurrency=4)
        self._sending: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Start the service and the traffic, and wait until that is well under way."""
        await asyncio.to_thread(self._service.start)
        await asyncio.to_thread(self._service.await_line, "Kafka takes records")
        self._aim()
        self._sending = asyncio.create_task(self._sender.send(self._webhooks()))
        await self.until_accepted(100)

    async def until_accepted(self, more: int) -> None:
        """Wait until so many webhooks more were answered 200."""
        wanted = self._sender.accepted + more

        async def accepted() -> bool:
            return self._sender.accepted >= wanted

        await eventually(accepted, "the traffic stands still")

    async def finish(self) -> None:
        """Start the service again, end the traffic, and assert that all of it was published.

        Each invoice was created and paid: once, and in order.
        """
        await asyncio.to_thread(self._service.start)
        self._aim()
        self._enough = True
        assert self._sending is not None
        await self._sending
        count = 2 * self._invoices
        records = await read(self._cluster, self._prefix, "payments.invoices", count)
        verdict = judge(records)
        assert verdict.clean, verdict
        assert len(verdict.facts()) == len(verdict.events) == count

    def end(self) -> None:
        """End everything."""
        if self._sending is not None:
            self._sending.cancel()
        self._service.__exit__()

    def _aim(self) -> None:
        # Its port is another one each time.
        self._sender.urls[:] = [f"{self._service.webhooks}/shop"]

    def _webhooks(self) -> Iterator[Webhook]:
        while not self._enough:
            yield from lives(1, f"i{self._invoices}-")
            self._invoices += 1


@pytest.fixture
async def load(
    service: Payevents, kafka_cluster: Cluster, topic_prefix: str
) -> AsyncIterator[Load]:
    """Return the traffic to the service, under way."""
    traffic = Load(service, kafka_cluster, topic_prefix)
    await traffic.begin()
    yield traffic
    traffic.end()


async def ended_in_time(service: Payevents) -> bool:
    """Send SIGTERM; tell whether it ended with 0 within the time."""
    began = time.monotonic()
    code = await asyncio.to_thread(service.terminate, 2 * END_WITHIN)
    return code == 0 and time.monotonic() - began < END_WITHIN


async def test_sigterm_under_load(service: Payevents, load: Load) -> None:
    """It ends with 0 in time; what it had answered 200, and what was sent again, is published."""
    assert await ended_in_time(service)
    await load.finish()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("away", [Cluster.kill, Cluster.pause])
async def test_sigterm_under_load_without_kafka(
    service: Payevents,
    load: Load,
    kafka_cluster: Cluster,
    tmp_path: Path,
    away: Callable[[Cluster, int], None],
) -> None:
    """With Kafka gone, or frozen, it ends with 0 in time and leaves its spool to the next one."""
    await asyncio.to_thread(away, kafka_cluster, 0)
    await asyncio.to_thread(service.await_line, "webhooks go to the spool")
    await load.until_accepted(20)
    assert await ended_in_time(service)
    assert len(list((tmp_path / "spool").glob("*.spool"))) == 1
    await asyncio.to_thread(kafka_cluster.heal)
    await load.finish()


@pytest.mark.timeout(300)
async def test_a_second_signal_under_load(
    service: Payevents, load: Load, kafka_cluster: Cluster
) -> None:
    """It ends at once, not with 0, out of a drain that spools; the next one finds the spool."""
    await asyncio.to_thread(kafka_cluster.kill, 0)
    await asyncio.to_thread(service.await_line, "webhooks go to the spool")
    service.interrupt()
    await asyncio.to_thread(service.await_line, "draining")
    await load.until_accepted(20)
    assert await asyncio.to_thread(service.terminate) == 1
    assert "ended" not in {json.loads(line)["message"] for line in service.log().splitlines()}
    await asyncio.to_thread(kafka_cluster.heal)
    await load.finish()
