"""Kafka away and the disk at fault: never a false 200, and receiving goes on by Kafka alone."""

import asyncio
import contextlib
import os
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from receiver.spool.drain import BATCH
from tests.kafka.cluster import Cluster
from tests.kafka.test_operator import ask, eventually
from tests.kafka.test_spine import made, read
from tests.support.configuration import service_config
from tests.support.judge import judge
from tests.support.payevents import Payevents
from tests.support.webhooks import Webhook, invoice

Fault = Callable[["Payevents", Path], None]


@dataclass
class Shop:
    """SmartPay as a payer sees it: sends webhooks, and keeps what was answered 200."""

    accepted: set[str] = field(default_factory=set)
    _numbers: "count[int]" = field(default_factory=count)

    async def send(self, service: Payevents) -> int:
        """Send the creation of one more invoice, once; return the status."""
        name = f"i{next(self._numbers)}"
        webhook = Webhook("invoice/created", invoice(name).body + b" " * 4000)
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{service.webhooks}/shop", data=webhook.body, headers=webhook.headers()
            ) as answer,
        ):
            if answer.status == 200:
                self.accepted.add(f"invoice/{name}")
            else:
                assert answer.status == 503
                assert int(answer.headers["Retry-After"]) > 0
            return answer.status

    async def send_many(self, service: Payevents, number: int, *, expect: int = 200) -> None:
        """Send so many, some at a time, which must all be answered so."""
        at_once = asyncio.Semaphore(16)

        async def one() -> int:
            async with at_once:
                return await self.send(service)

        assert set(await asyncio.gather(*(one() for _ in range(number)))) == {expect}

    async def send_until(self, service: Payevents, status: int) -> None:
        """Send until one is answered so."""

        async def answered() -> bool:
            return await self.send(service) == status

        await eventually(answered, f"no webhook was ever answered {status}")


@dataclass
class Town:
    """A service before a cluster that comes and goes."""

    cluster: Cluster
    prefix: str
    config: str
    folder: Path
    shop: Shop = field(default_factory=Shop)

    @property
    def spool(self) -> Path:
        """The folder of the spool."""
        return self.folder / "spool"

    @asynccontextmanager
    async def serving(self, name: str, config: str | None = None) -> AsyncIterator[Payevents]:
        """Run a service that has found Kafka."""
        with Payevents(config or self.config, self.folder, name) as service:
            await asyncio.to_thread(service.await_line, "Kafka takes records")
            yield service

    async def kafka_goes(self, service: Payevents) -> None:
        """Kill the broker; return once a webhook was spooled, or refused."""
        await asyncio.to_thread(self.cluster.kill, 0)
        await self.shop.send(service)

    async def kafka_comes(self) -> None:
        """Start the broker again."""
        await asyncio.to_thread(self.cluster.restart, 0)

    async def assert_published(self, accepted: set[str]) -> None:
        """Assert that whatever got its 200 is published, and nothing twice."""
        records = await read(self.cluster, self.prefix, "payments.invoices", len(accepted))
        verdict = judge(records)
        assert verdict.clean, verdict.findings
        assert accepted <= {subject for subject, _ in verdict.facts()}


@pytest.fixture
def town(kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path) -> Town:
    """Return a town whose topics exist."""
    servers = kafka_cluster.bootstrap_servers
    config = made(service_config(servers, topic_prefix, tmp_path / "spool"), tmp_path)
    return Town(kafka_cluster, topic_prefix, config, tmp_path)


async def alarms(service: Payevents) -> set[str]:
    """Return the codes of the alarms in the metrics."""
    async with aiohttp.ClientSession() as session, session.get(f"{service.admin}/metrics") as told:
        lines = (await told.text()).splitlines()
    found = [
        line for line in lines if line.startswith("payevents_alarm{") and line.endswith(" 1.0")
    ]
    return {line.partition('code="')[2].partition('"')[0] for line in found}


async def disk_alarms(service: Payevents) -> set[str]:
    """Return which alarms there are but of Kafka, away on purpose, and of webhooks refused so."""
    return await alarms(service) - {"kafka-away", "webhook-failures"}


async def until_no_alarm(service: Payevents) -> None:
    """Wait until nothing is alarming."""

    async def over() -> bool:
        return await alarms(service) == set()

    await eventually(over, "an alarm was never over")


async def until_alarmed(service: Payevents, code: str) -> None:
    """Wait for an alarm in the metrics."""

    async def alarmed() -> bool:
        return code in await alarms(service)

    await eventually(alarmed, f"no alarm {code}")


def limit_files(service: Payevents, size: int) -> None:
    """Let the process write no file beyond ``size`` bytes: the kernel fails its writes."""
    pid = service.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def no_room(service: Payevents, spool: Path) -> None:
    """Have every write to the disk fail from now on, those that remove something too."""
    del spool
    limit_files(service, 0)


def delete(service: Payevents, spool: Path) -> None:
    """Delete the spool's files under the process."""
    del service
    for path in spool.glob("*.spool*"):
        path.unlink()


def corrupt(service: Payevents, spool: Path) -> None:
    """Overwrite what the spool's files hold with noise, in place."""
    del service
    for path in [*spool.glob("*.spool"), *spool.glob("*.spool-wal")]:
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))


async def assert_it_says_why(service: Payevents, code: str) -> None:
    """Assert that metrics and readiness tell that webhooks are refused, for this reason alone."""
    await until_alarmed(service, code)
    assert await disk_alarms(service) == {code}
    status, report = await ask(f"{service.admin}/readyz")
    assert (status, report["ready"]) == (503, False)
    assert report["parts"]["spool"]["state"] == "degraded"
    assert "spool" in report["parts"]["spool"]["why"]


@pytest.mark.parametrize("fault", [no_room, delete])
async def test_a_disk_that_fails_under_the_spool_costs_nothing_that_got_its_200(
    town: Town, fault: Fault
) -> None:
    """Webhooks get 503 then; with Kafka back all is published, though the disk stays at fault."""
    async with town.serving("only") as service:
        await town.kafka_goes(service)
        await town.shop.send_many(service, 3 * BATCH)
        await asyncio.to_thread(fault, service, town.spool)
        await town.shop.send_until(service, 503)
        await town.shop.send_many(service, 3, expect=503)
        await assert_it_says_why(service, "spool-failed")
        await town.kafka_comes()
        await town.shop.send_until(service, 200)
        await town.shop.send_many(service, 5)
        await town.assert_published(town.shop.accepted)
        assert await disk_alarms(service) <= {"spool-failed"}


async def test_a_disk_that_is_mended_takes_webhooks_again(town: Town) -> None:
    """Nobody restarts anything: the alarm ends, and while Kafka is still away webhooks get 200."""
    async with town.serving("only") as service:
        await town.kafka_goes(service)
        await town.shop.send_many(service, BATCH)
        no_room(service, town.spool)
        await town.shop.send_until(service, 503)
        await assert_it_says_why(service, "spool-failed")
        limit_files(service, resource.RLIM_INFINITY)
        await town.shop.send_until(service, 200)
        assert await disk_alarms(service) == set()
        await town.shop.send_many(service, BATCH)
        await town.kafka_comes()
        await town.assert_published(town.shop.accepted)
        await until_no_alarm(service)


async def test_a_spool_that_turns_to_noise_is_told_and_webhooks_go_on_by_kafka(
    town: Town,
) -> None:
    """What the noise has overwritten is gone: an alarm says so, and nothing else is missing."""
    async with town.serving("only") as service:
        await town.kafka_goes(service)
        await town.shop.send_many(service, 5 * BATCH)
        overwritten = set(town.shop.accepted)
        await asyncio.to_thread(corrupt, service, town.spool)
        await town.kafka_comes()
        await until_alarmed(service, "spool-failed")
        await town.shop.send_until(service, 200)
        await town.shop.send_many(service, 5)
        await town.assert_published(town.shop.accepted - overwritten)


async def test_a_folder_that_cannot_be_written_to_leaves_receiving_to_kafka(town: Town) -> None:
    """A read-only place for the spool is told at once, and matters only while Kafka is away."""
    config = town.config.replace(str(town.spool), "/proc/payevents")
    async with town.serving("only", config) as service:
        await town.shop.send_many(service, 5)
        assert await alarms(service) == {"spool-failed"}
        status, report = await ask(f"{service.admin}/readyz")
        assert (status, report["parts"]["spool"]["state"]) == (200, "degraded")
        await town.kafka_goes(service)
        await town.shop.send_many(service, 3, expect=503)
        await town.kafka_comes()
        await town.shop.send_until(service, 200)
        await town.assert_published(town.shop.accepted)


async def test_a_full_spool_refuses_until_kafka_has_emptied_it(town: Town) -> None:
    """Beyond its size webhooks get 503 and Retry-After; drained, the alarm is over by itself."""
    config = town.config.replace("[spool]", '[spool]\nmax_bytes = "100KiB"')
    async with town.serving("only", config) as service:
        await town.kafka_goes(service)
        await town.shop.send_until(service, 503)
        assert 10 < len(town.shop.accepted) < 30
        await assert_it_says_why(service, "spool-full")
        await town.kafka_comes()
        await town.shop.send_until(service, 200)
        await until_no_alarm(service)
        await town.assert_published(town.shop.accepted)


async def test_a_process_killed_while_it_spools_leaves_all_that_got_its_200(town: Town) -> None:
    """SIGKILL amid the load: whatever was answered 200 by then is published by the next process."""
    async with town.serving("first") as first:
        await town.kafka_goes(first)

        async def send_on() -> None:
            while first.running:
                with contextlib.suppress(aiohttp.ClientError):
                    await town.shop.send(first)

        senders = [asyncio.create_task(send_on()) for _ in range(16)]

        async def under_load() -> bool:
            return len(town.shop.accepted) > 2 * BATCH

        await eventually(under_load, "the traffic never got under way")
        await asyncio.to_thread(first.kill)
        await asyncio.gather(*senders)
    assert [path.suffix for path in town.spool.iterdir() if path.suffix == ".spool"]
    await town.kafka_comes()
    async with town.serving("second"):
        await town.assert_published(town.shop.accepted)
