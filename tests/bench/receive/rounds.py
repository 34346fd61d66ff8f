"""Rounds: load one contender, then see that it told the truth."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from tests.bench.bench import Bench
from tests.bench.receive.contenders import Contender, Served, Site, new_site
from tests.bench.receive.generator import Generator
from tests.bench.receive.load import Outcome, Shape
from tests.bench.receive.traffic import traffic

_WARM_UP = Shape(3.0)
"""In it franz-go's buffers and the Go peer's garbage collector settle, as do the caches of all."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """The contenders, all of them serving, and the load."""

    site: Site
    generator: Generator
    served: Mapping[str, Served]

    async def round(self, name: str, shape: Shape) -> Outcome:
        """Load the contender called ``name``; return what came of it once each 200 is proven.

        Raises:
            NotDurableError: a 200 was untrue.
            RuntimeError: there was none.
        """
        contender, inbox = self.served[name], self.site.inbox
        since = await asyncio.to_thread(inbox.ends)
        shape = replace(shape, pid=contender.pid)
        outcome = await self.generator.load(contender.target, shape)
        if contender.durable:
            await asyncio.to_thread(inbox.prove, since, traffic(), outcome.acknowledged)
        if outcome.refused:
            self.site.bench.say(f"{name} did not answer 200: {outcome.statuses}")
        if not outcome.accepted:
            raise RuntimeError(f"{name} answered nothing with 200: {outcome.statuses}")
        return outcome


@asynccontextmanager
async def rounds(bench: Bench, contenders: Mapping[str, Contender]) -> AsyncIterator[Rounds]:
    """Start the contenders and the load; warm each of them up; end them afterwards."""
    site = await new_site(bench)
    async with AsyncExitStack() as stack:
        generator = stack.enter_context(Generator())
        served = {
            name: await stack.enter_async_context(start(site)) for name, start in contenders.items()
        }
        running = Rounds(site, generator, served)
        for name in served:
            await running.round(name, _WARM_UP)
        yield running
