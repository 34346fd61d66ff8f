"""A router that has enough to do: for looking at where its time goes."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from tests.bench.bench import Bench
from tests.bench.route.inbox import fill, filler
from tests.bench.route.observations import observations
from tests.bench.route.starting import PARTITIONS, ROUTER, payevents_router

MANY = 400_000
"""Observations: more than are routed in a quarter of a minute."""


@asynccontextmanager
async def backlog(bench: Bench) -> AsyncIterator[int]:
    """Yield the process id of a router that has :data:`MANY` observations to work off."""
    cluster = await bench.cluster()
    async with AsyncExitStack() as stack:
        router = await payevents_router(bench, stack, ROUTER)
        producer = await stack.enter_async_context(filler(cluster.bootstrap_servers))
        given = observations(MANY, PARTITIONS, seed=0)
        os.kill(router.pid, signal.SIGSTOP)
        try:
            await fill(producer, router.inbox, given.records)
        finally:
            os.kill(router.pid, signal.SIGCONT)
        yield router.pid
