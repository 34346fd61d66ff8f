"""A worker that hangs is killed, and nobody else is."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from receiver.workers.asking import AdminOf, Answer
from receiver.workers.life import Life
from receiver.workers.vigil import PATIENCE, Vigil
from receiver.workers.worker import State
from tests.unit.receiver.workers.fakes import as_it_is


@dataclass
class Asked:
    """A worker that answers or hangs, and may be killed."""

    number: int
    silent: bool = False
    killed: int = 0
    worker: Any = field(init=False)

    def __post_init__(self) -> None:
        self.worker = as_it_is(self.number)
        self.live(pid=self.number)

    def live(self, pid: int) -> None:
        """Be another process."""
        self.worker._life = cast("Life", SimpleNamespace(pid=pid, kill=self._kill))

    def _kill(self) -> None:
        self.killed += 1

    async def ask(self, path: str) -> Answer | None:
        """Answer as the admin listener of a worker does."""
        assert path == "/livez"
        return None if self.silent else Answer(200, b"alive")


class Watch:
    """A vigil over workers, in a time of its own."""

    def __init__(self, *workers: Asked) -> None:
        self.now = 0.0
        self._vigil = Vigil(cast("list[AdminOf]", list(workers)), lambda: self.now)

    async def at(self, moment: float) -> None:
        """Look at this moment."""
        self.now = moment
        await self._vigil.look()


async def test_a_worker_that_hangs_is_killed() -> None:
    """Not for a pause, but once it has answered nothing for long; those that answer live."""
    well, hung = Asked(1), Asked(2, silent=True)
    watch = Watch(well, hung)
    await watch.at(0.0)
    await watch.at(PATIENCE - 1)
    assert hung.killed == 0
    await watch.at(PATIENCE)
    assert (hung.killed, well.killed) == (1, 0)


async def test_an_answer_ends_the_suspicion() -> None:
    """Two pauses are not one long one."""
    slow = Asked(1, silent=True)
    watch = Watch(slow)
    await watch.at(0.0)
    slow.silent = False
    await watch.at(PATIENCE / 2)
    slow.silent = True
    await watch.at(PATIENCE)
    assert slow.killed == 0


async def test_the_next_process_starts_with_a_clean_slate() -> None:
    """What its predecessor did not answer is not held against it."""
    one = Asked(1, silent=True)
    watch = Watch(one)
    await watch.at(0.0)
    one.live(pid=100)
    await watch.at(PATIENCE)
    assert one.killed == 0


async def test_only_who_serves_is_judged() -> None:
    """A worker that starts or drains may be silent for as long as that takes."""
    starting = Asked(1, silent=True)
    starting.worker.state = State.STARTING
    watch = Watch(starting)
    await watch.at(0.0)
    await watch.at(2 * PATIENCE)
    assert starting.killed == 0
