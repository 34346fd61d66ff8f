"""One contender: a process that runs through all rounds, with topics of its own."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from aiokafka import AIOKafkaProducer

from tests.bench.cores import cpu_seconds
from tests.bench.route.inbox import fill
from tests.bench.route.observations import Observations
from tests.bench.route.reading import Outlet
from tests.bench.route.verifying import Read, WrongOutput

_WITHIN = 300.0
"""Seconds in which a round's output must be readable."""

_NOTHING_MORE_FOR = 1.0

Check: TypeAlias = Callable[[Sequence[Read], Observations], None]


@dataclass(slots=True)
class Contender:
    """Reads ``inbox`` and writes what ``outlet`` reads.

    ``warm_up`` is how many observations it gets before the first round, and ``a_second`` has the
    observations a second of each round so far.
    """

    name: str
    pid: int
    inbox: str
    outlet: Outlet
    expected: Callable[[Observations], int]
    check: Check
    warm_up: int = 3_000
    a_second: list[float] = field(default_factory=list)

    async def route(self, filler: AIOKafkaProducer, given: Observations) -> float:
        """Return how many observations were routed for each second of processor time.

        The process is held while its inbox is filled: it finds a backlog, however fast it is. All
        that it uses from then on counts, until the last record can be read with read_committed.

        Raises:
            Unreadable: something is missing.
            WrongOutput: what came out is not what must.
        """
        os.kill(self.pid, signal.SIGSTOP)
        try:
            await fill(filler, self.inbox, given.records)
            used, began = cpu_seconds(self.pid), time.perf_counter()
        finally:
            os.kill(self.pid, signal.SIGCONT)
        read = await asyncio.to_thread(self.outlet.read, self.expected(given), within=_WITHIN)
        took, used = time.perf_counter() - began, cpu_seconds(self.pid) - used
        self.check(read, given)
        self.a_second.append(given.count / took)
        return given.count / used

    def end(self) -> None:
        """See that nothing more came out.

        Raises:
            WrongOutput: something did.
        """
        late = self.outlet.more(_NOTHING_MORE_FOR)
        if late:
            raise WrongOutput(f"{self.name} wrote {len(late)} records more than it should")
