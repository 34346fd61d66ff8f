"""A world: the simulated cluster, and replicas that run the real code against it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, TypeAlias

import structlog

from config.topics import Topics
from tests.simulation.clients import SimulatedClients
from tests.simulation.cluster import Cluster
from tests.simulation.faults import Faults
from tests.simulation.loop import moment
from tests.simulation.network import Network, Site, later
from tests.simulation.pace import BRISK, Pace
from tests.simulation.process import Process
from tests.simulation.trace import Trace

TOPICS = Topics.named("", ())
_RESTARTED_WITHIN = 5.0
_LOOKED_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class Machine:
    """What a program is given: its process's clients, and what it shares with the world."""

    process: Process
    clients: SimulatedClients
    rng: Random
    partitions: int

    @staticmethod
    def now() -> datetime:
        """Return the time."""
        return moment()


Program: TypeAlias = Callable[[Machine], Coroutine[Any, Any, None]]
"""What a process does until it ends; one that ends by itself is a defect."""


@dataclass(slots=True, eq=False)
class Replica:
    """A name under which a program runs, in one process after another."""

    name: str
    program: Program
    mortal: bool
    machine: Machine
    main: "asyncio.Task[Any]"


class World:
    """Everything there is in a run. A replica that crashes is started again a little later.

    Everything that is left to chance follows from ``seed``. Use it inside :func:`loop.run`, and
    :meth:`close` it there.
    """

    def __init__(
        self,
        seed: int,
        faults: Faults | None = None,
        partitions: int = 2,
        pace: Pace = BRISK,
    ) -> None:
        self.seed = seed
        self.pace = pace
        self.faults = faults or Faults()
        self.partitions = partitions
        self.replicas: dict[str, Replica] = {}
        self.trace = Trace()
        self.rng = Random(f"world {self.seed}")
        names = dict.fromkeys((*TOPICS.own, *TOPICS.events), self.partitions)
        self.cluster = Cluster(names, self.rng, self.trace)
        self.network = Network(self.faults, self.rng, self.trace)
        self.network.on_crash = self._on_crash
        self.network.on_fence = self._fence
        self._graveyard: list[Process] = []
        self._log_settings = structlog.get_config()
        structlog.configure(processors=[self.trace.take_log], cache_logger_on_first_use=False)

    def start(self, name: str, program: Program, *, mortal: bool = True) -> Replica:
        """Have a replica run ``program``; the faults spare its process if it is not ``mortal``."""
        self.trace.add(name, "starts")
        process = Process(name, mortal)
        site = Site(process, self.network, self.cluster, self.rng)
        clients = SimulatedClients(
            options={}, timeouts=self.pace.timeouts, site=site, sessions=[], pace=self.pace
        )
        machine = Machine(process, clients, self.rng, self.partitions)
        main = process.spawn(program(machine), f"{name} main")
        self.replicas[name] = Replica(name, program, mortal, machine, main)
        return self.replicas[name]

    def crash(self, name: str) -> None:
        """Crash a replica's process."""
        process = self.replicas[name].machine.process
        if process.alive:
            self.trace.add(name, "crashes")
            process.crash()
            self._on_crash(process)

    def freeze(self, name: str, seconds: float) -> None:
        """Freeze a replica's process, and thaw it later."""
        self.trace.add(name, f"is frozen for {seconds:.1f}")
        self.network.freeze(self.replicas[name].machine.process, seconds)

    def cut_off(self, name: str, seconds: float) -> None:
        """Let a replica reach nobody for a while."""
        self.trace.add(name, f"is cut off for {seconds:.1f}")
        self.network.cut_off(name, seconds)

    def heal(self) -> None:
        """Let no new fault happen, and end those that last."""
        self.trace.add("world", "is healed")
        self.faults.calm()
        self.network.mend()
        for replica in self.replicas.values():
            replica.machine.process.thaw()

    async def until(self, holds: Callable[[], bool], within: float, what: str) -> None:
        """Wait until it holds.

        Raises:
            AssertionError: it does not hold ``within`` so many seconds.
        """
        deadline = asyncio.get_running_loop().time() + within
        while not holds():
            assert asyncio.get_running_loop().time() < deadline, f"{within} s are over: {what}"
            await asyncio.sleep(_LOOKED_EVERY)

    def ended(self) -> list[str]:
        """Return the replicas whose program has ended by itself."""
        return [name for name, replica in self.replicas.items() if replica.main.done()]

    async def close(self) -> None:
        """Unwind all processes: nothing of that reaches the cluster."""
        self.faults.calm()
        living = [replica.machine.process for replica in self.replicas.values()]
        self.replicas.clear()
        for process in [*self._graveyard, *living]:
            await process.bury()
        structlog.configure(**self._log_settings)

    def _on_crash(self, process: Process) -> None:
        self._graveyard.append(process)

        def start_again() -> None:
            replica = self.replicas.get(process.name)
            if replica is not None and replica.machine.process is process:
                self.start(replica.name, replica.program, mortal=replica.mortal)

        later(self.rng.uniform(0.1, _RESTARTED_WITHIN), start_again)

    def _fence(self, process: Process) -> None:
        replica = self.replicas.get(process.name)
        if replica is None:
            return
        names = {session.transactional_id for session in replica.machine.clients.sessions}
        for name in sorted(name for name in names if name is not None):
            self.trace.add("world", f"usurps {name}")
            self.cluster.transactions.usurp(name)


@contextmanager
def told(world: World) -> Iterator[None]:
    """Add to whatever goes wrong the seed and the trace of what happened."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"seed {world.seed}; what happened, at last:\n{world.trace.tail()}")
        raise
