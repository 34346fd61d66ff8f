"""`payevents reconcile` on Apache Kafka: held up, interrupted, and done in the end."""

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from handlers.smartpay.sandbox import SmartPaySandbox
from receiver.sandbox.host import SandboxHost
from tests.kafka.cluster import Cluster
from tests.kafka.test_operator import command
from tests.kafka.test_spine import read
from tests.support.configuration import SIGNING_KEY, service_config
from tests.support.payevents import COMMAND, Payevents

ASK = ("reconcile", "--account", "shop", "--since", "40d")


@pytest.fixture
async def host() -> AsyncIterator[SandboxHost]:
    """Serve SmartPay's sandbox."""
    async with SandboxHost(SmartPaySandbox()) as host:
        yield host


async def test_it_is_held_up_interrupted_and_done(
    host: SandboxHost, kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """Without a poller or with a wrong key it ends with 1 and says why; the request stays."""
    text = service_config(kafka_cluster.bootstrap_servers, topic_prefix, tmp_path)
    wrong = text.replace("http://127.0.0.1:9", host.base_url)
    right = wrong.replace(SIGNING_KEY, "sandbox-api-key")
    config = tmp_path / "command.toml"
    config.write_text(wrong)
    await host.control("create-invoice", amount="10.00")
    await host.control("pay")
    await asyncio.to_thread(command, config, "topics", "create")

    nobody = await asyncio.to_thread(command, config, *ASK, "--patience", "1s", expect=1)
    assert "no running poller has taken it up" in nobody.stderr
    with Payevents(wrong, tmp_path, "wrong") as service:
        await asyncio.to_thread(service.await_line, "alarm")
        refused = await asyncio.to_thread(command, config, *ASK, "--patience", "1s", expect=1)
        assert "Invalid key" in refused.stderr
        assert "windows are left" in refused.stderr
        listed = await asyncio.to_thread(command, config, "watches", "list", "--json")
        watches = json.loads(listed.stdout)["watches"]
        assert "reconciliation" in {watch["kind"] for watch in watches}
        [asked, *_] = [watch["id"] for watch in watches if watch["id"].startswith("once/")]
        of_one = ("shop", "reconciliation", asked)
        await asyncio.to_thread(command, config, "watches", "remove", *of_one)
        interrupted = await asyncio.to_thread(interrupt, config)
        assert "interrupted" in interrupted
        assert await asyncio.to_thread(service.terminate) == 0
    with Payevents(right, tmp_path, "right"):
        done = await asyncio.to_thread(command, config, *ASK)
        assert done.stdout.endswith("done: all that was found is in the inbox\n")
        records = await read(kafka_cluster, topic_prefix, "payments.invoices", 2)
        actions = [json.loads(record.value or b"")["data"]["action"] for record in records]
        assert actions == ["created", "paid"]


def interrupt(config: Path) -> str:
    """Begin to reconcile, press Ctrl-C while it waits, and return what it said of that."""
    with subprocess.Popen(
        [COMMAND, *ASK, "--config", config],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("asked for")
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=30)
        assert running.returncode == 1
        return told
