"""The budget of calls is an account's, however many replicas there are."""

import asyncio
import json
import time
from collections import deque
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from handlers.exchange import Request, Response
from handlers.sandbox import Callback, Sandbox
from receiver.accounts.providers import installed_providers
from receiver.sandbox.host import SandboxHost
from receiver.sandbox.snippet import as_toml
from tests.kafka.cluster import Cluster
from tests.kafka.test_operator import eventually
from tests.kafka.test_providers import watch
from tests.kafka.test_spine import made
from tests.support.configuration import service_config
from tests.support.payevents import Payevents

CALLS, PER = 10, 5.0
WINDOW = PER - 0.5
"""Seconds: calls that left ``PER`` apart may arrive a little closer to each other."""

WATCHES = 30


class Counted:
    """A sandbox that remembers when it was called, in seconds of the monotonic clock."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.calls: list[float] = []

    def __getattr__(self, name: str) -> Any:
        """Be the sandbox in everything else."""
        return getattr(self._sandbox, name)

    def handle(self, request: Request, now: datetime) -> Response | Callback:
        """Answer, and remember when."""
        self.calls.append(time.monotonic())
        return self._sandbox.handle(request, now)

    def most_within(self, seconds: float) -> int:
        """Return how many calls came in any window of that length, at most."""
        most, window = 0, deque[float]()
        for at in self.calls:
            window.append(at)
            while window[0] <= at - seconds:
                window.popleft()
            most = max(most, len(window))
        return most


def began_last(replica: Payevents) -> str:
    """Return when a shard of the replica ran last, as its log says it; empty if none did."""
    lines = [json.loads(line) for line in replica.log().splitlines()]
    return max(
        (line["timestamp"] for line in lines if line["message"] == "the shard runs"), default=""
    )


async def test_the_budget_of_calls_holds_across_replicas(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """Three replicas call no more than one may, but that an heir begins with a whole budget."""
    provider = installed_providers()["voucherry"]
    counted = Counted(provider.sandbox())
    async with AsyncExitStack() as opened:
        host = await opened.enter_async_context(SandboxHost(cast("Sandbox", counted)))
        account = counted.account("voucherry-1", host.base_url).model_copy(
            update={
                "poll_interval": timedelta(seconds=1),
                "calls": CALLS,
                "calls_per": timedelta(seconds=PER),
            }
        )
        config = service_config(
            kafka_cluster.bootstrap_servers,
            topic_prefix,
            tmp_path / "spool",
            partitions=1,
            accounts=as_toml(account),
        )
        await asyncio.to_thread(made, config, tmp_path)
        replicas = []
        for number in range(3):
            replica = Payevents(config, tmp_path, f"replica-{number}", "--roles", "poll")
            opened.callback(replica.__exit__)
            await asyncio.to_thread(replica.start)
            await asyncio.to_thread(replica.await_line, "Kafka takes records")
            replicas.append(replica)
        for _ in range(WATCHES):
            await watch(replicas[0], await host.control("create-transfer", amount="50"))

        async def until_called(more: int) -> None:
            wanted = len(counted.calls) + more

            async def called() -> bool:
                return len(counted.calls) >= wanted

            await eventually(called, "the provider was not called any more")

        await until_called(3 * CALLS)
        assert counted.most_within(WINDOW) <= CALLS
        for end in (Payevents.terminate, Payevents.kill):
            owner = max((r for r in replicas if r.running), key=began_last)
            await asyncio.to_thread(end, owner)
            await until_called(2 * CALLS)
            assert counted.most_within(WINDOW) <= 2 * CALLS
