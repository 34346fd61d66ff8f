"""The budget of calls is an account's, however many replicas there are."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
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
FEW, FEW_PER = 2, 25.0
CLOSER = 0.5
"""Seconds: calls that left a period apart may arrive a little closer to each other."""

CONCURRENCY = 2
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


@asynccontextmanager
async def called_by_three(
    cluster: Cluster, topic_prefix: str, tmp_path: Path, calls: int, per: float
) -> AsyncIterator[tuple[Counted, list[Payevents]]]:
    """Run three replicas with one account, which would call more often than it may."""
    provider = installed_providers()["voucherry"]
    counted = Counted(provider.sandbox())
    async with AsyncExitStack() as opened:
        host = await opened.enter_async_context(SandboxHost(cast("Sandbox", counted)))
        account = counted.account("voucherry-1", host.base_url).model_copy(
            update={
                "poll_interval": timedelta(seconds=1),
                "calls": calls,
                "calls_per": timedelta(seconds=per),
                "concurrency": CONCURRENCY,
            }
        )
        config = service_config(
            cluster.bootstrap_servers,
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
        yield counted, replicas


async def until_called(counted: Counted, more: int) -> None:
    """Wait until the provider was called so many times more."""
    wanted = len(counted.calls) + more

    async def called() -> bool:
        return len(counted.calls) >= wanted

    await eventually(called, "the provider was not called any more")


async def end_owner(replicas: list[Payevents], end: Callable[[Payevents], object]) -> None:
    """End the replica that polls the account."""
    owner = max((replica for replica in replicas if replica.running), key=began_last)
    await asyncio.to_thread(end, owner)


async def test_the_budget_of_calls_holds_across_replicas(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """Three replicas call no more than one may, but for what an owner had not committed."""
    running = called_by_three(kafka_cluster, topic_prefix, tmp_path, CALLS, PER)
    async with running as (counted, replicas):
        await until_called(counted, 3 * CALLS)
        assert counted.most_within(PER - CLOSER) <= CALLS
        for end in (Payevents.terminate, Payevents.kill):
            await end_owner(replicas, end)
            await until_called(counted, 2 * CALLS)
        assert counted.most_within(PER - CLOSER) <= CALLS + 2 * CONCURRENCY


async def test_a_budget_of_few_calls_holds_to_the_last(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path
) -> None:
    """Each call is committed before it is made, so that a takeover adds none, however it came."""
    running = called_by_three(kafka_cluster, topic_prefix, tmp_path, FEW, FEW_PER)
    async with running as (counted, replicas):
        await until_called(counted, FEW)
        for end in (Payevents.terminate, Payevents.kill):
            await end_owner(replicas, end)
            await until_called(counted, FEW)
        assert counted.most_within(FEW_PER - CLOSER) <= FEW
