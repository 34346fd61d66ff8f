"""One run: traffic, faults, peace, and what the checker says in the end."""

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.checker import check_events, unstable
from tests.chaos.generator import Generator
from tests.chaos.history import History
from tests.chaos.latency import measure
from tests.chaos.ledger import Ledger
from tests.chaos.logs import LogSummary, summarise
from tests.chaos.outcome import Outcome
from tests.chaos.plan import plan
from tests.chaos.stage import DEAD_LETTERS, EVENTS, NODES, PARTITIONS, SERVICES, stage
from tests.chaos.story import Event, event_in
from tests.chaos.traffic import traffic
from tests.chaos.watcher import Watcher
from tests.chaos.world import TookTooLong, World, eventually
from tests.kafka.reader import read_committed

ANSWERED_WITHIN = 60.0
"""Seconds after the last fault within which all that was sent must be answered 200."""

COMPLETE_WITHIN = 180.0
"""Seconds after that within which every event must be readable."""

QUIET_WITHIN = 60.0
"""Seconds after that within which no spool and no shard may have anything left to do."""

READ_WITHIN = 300.0
"""Seconds for reading all events again when everything has ended."""


@dataclass(frozen=True, slots=True)
class Options:
    """How long a run is, at least, by which seed, and how fast (notifications per second).

    It goes on until every kind of fault struck and ``observations`` were sent, whatever
    ``minutes`` says.
    """

    minutes: float
    seed: int
    observations: int
    rate: float = 120.0


async def run(options: Options, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run, with logs and the ledger in ``folder``; ``say`` is told how it goes, a line at a time.

    Raises:
        Exception: the run itself broke down, and says nothing about the service.

    """
    async with contextlib.AsyncExitStack() as stack:
        world = await stack.enter_async_context(stage(folder))
        ledger = stack.enter_context(Ledger(folder / "ledger.jsonl", time.time))
        watcher = stack.enter_context(Watcher(world.cluster.bootstrap_servers, EVENTS))
        generator = await stack.enter_async_context(
            Generator(world.webhooks, traffic(options.seed), ledger, options.rate)
        )
        one = _Run(options, world, ledger, watcher, generator, History(say))
        return await one.through(folder)


class _Run:
    """The parts of one run, and its way from the first notification to the outcome."""

    def __init__(
        self,
        options: Options,
        world: World,
        ledger: Ledger,
        watcher: Watcher,
        generator: Generator,
        history: History,
    ) -> None:
        self._options = options
        self._world = world
        self._ledger = ledger
        self._watcher = watcher
        self._generator = generator
        self._history = history
        self._problems: list[str] = []

    async def through(self, folder: Path) -> Outcome:
        """Run to the end; return what came of it."""
        sending = asyncio.create_task(self._generator.run())
        await self._strike(sending)
        sending.cancel()
        seconds = time.time() - self._history.began
        await self._settle()
        await self._end()
        events = await asyncio.to_thread(self._read_again)
        findings = check_events(events, self._ledger.sent())
        await self._within(
            READ_WITHIN, "the consumer did not read to the end", self._has_read(len(events))
        )
        findings.unstable = unstable(self._watcher.events, events)
        logs = await asyncio.to_thread(_summarised, folder)
        return Outcome(
            seed=self._options.seed,
            seconds=seconds,
            findings=findings,
            latency=measure(self._ledger.acknowledged_at, self._watcher.read_at),
            ledger=self._ledger,
            history=self._history,
            logs=logs,
            dead_letters=await asyncio.to_thread(self._dead_letters),
            problems=self._problems,
        )

    async def _strike(self, sending: "asyncio.Task[None]") -> None:
        """Carry rounds out until time is up, all has struck, and enough was sent."""
        rounds = plan(self._options.seed, nodes=NODES, services=SERVICES, partitions=PARTITIONS)
        until = self._history.began + 60 * self._options.minutes
        for planned in rounds:
            await self._history.carry_out(planned, self._world)
            self._watcher.check()
            if sending.done():
                sending.result()
            enough = self._ledger.notifications >= self._options.observations
            if planned.covered and enough and time.time() >= until:
                return

    async def _settle(self) -> None:
        """Heal everything, and wait until every promise could be kept."""
        self._history.note("no more faults")
        await self._world.heal()
        if not await self._generator.finish(ANSWERED_WITHIN):
            self._problems.append(f"not everything got its 200 within {ANSWERED_WITHIN:.0f} s")
        self._history.note(f"all is sent: {self._ledger.notifications} notifications")
        await self._within(COMPLETE_WITHIN, "not every event can be read", self._complete)
        await self._within(QUIET_WITHIN, "a spool is not drained", self._world.drained)
        await self._within(QUIET_WITHIN, "a shard has not caught up", self._world.routed)

    async def _end(self) -> None:
        """End every replica, as an operator would."""
        self._history.note("ending")
        replicas = self._world.replicas
        codes = await asyncio.gather(*(asyncio.to_thread(each.terminate) for each in replicas))
        if any(codes):
            self._problems.append(f"the replicas ended with {codes} after SIGTERM")

    async def _complete(self) -> bool:
        self._watcher.check()
        return not self._watcher.missing(self._ledger.acknowledged_at)

    def _has_read(self, count: int) -> Callable[[], Coroutine[Any, Any, bool]]:
        async def has_read() -> bool:
            self._watcher.check()
            return len(self._watcher.events) >= count

        return has_read

    async def _within(self, seconds: float, what: str, look: Callable[[], Awaitable[bool]]) -> None:
        try:
            await eventually(look, what, seconds)
        except TookTooLong as error:
            self._problems.append(str(error))
            self._history.note(str(error))

    def _read_again(self) -> list[Event]:
        """Return all events as they stand in the log now; a topic at a time, for their size."""
        servers = self._world.cluster.bootstrap_servers
        return [
            event_in(record)
            for topic in EVENTS
            for record in read_committed(servers, [topic], timeout=READ_WITHIN)
        ]

    def _dead_letters(self) -> Counter[str]:
        records = read_committed(
            self._world.cluster.bootstrap_servers, [DEAD_LETTERS], timeout=READ_WITHIN
        )
        reasons = (dict(record.headers).get("payevents-reason") for record in records)
        return Counter((reason or b"no reason").decode() for reason in reasons)


def _summarised(folder: Path) -> LogSummary:
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(file.open()) for file in sorted(folder.glob("*.log"))]
        return summarise(itertools.chain.from_iterable(files))
