"""The way between processes and the cluster: every request passes here, and may meet its fate."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from aiokafka.errors import KafkaConnectionError, KafkaError, RequestTimedOutError

from tests.simulation.cluster import Cluster
from tests.simulation.faults import IDLE, Fate, Faults, Kind, Point
from tests.simulation.process import OUTSIDE, Process, State
from tests.simulation.trace import Trace

_T = TypeVar("_T")
_LATENCY = (0.0005, 0.008)
_DEADLY = {
    Kind.CRASH_BEFORE,
    Kind.CRASH_AFTER,
    Kind.FREEZE_BEFORE,
    Kind.FREEZE_AFTER,
    Kind.FENCED,
    Kind.FENCED_AFTER,
}


class Network:
    """Carries requests and answers.

    ``on_crash`` is called with a process that has just crashed, ``on_fence`` with one whose
    sessions another owner is to take over.
    """

    def __init__(self, faults: Faults, rng: Random, trace: Trace) -> None:
        self._cut: dict[str, int] = {}
        self.on_crash: Callable[[Process], None] = lambda _: None
        self.on_fence: Callable[[Process], None] = lambda _: None
        self._faults = faults
        self._rng = rng
        self._trace = trace
        self._asked = 0

    async def ask(
        self,
        process: Process,
        operation: str,
        effect: "Callable[[], _T | asyncio.Future[_T]]",
        *,
        patience: float,
        about: str = "",
        refusal: type[KafkaError] = KafkaConnectionError,
    ) -> _T:
        """Have ``effect`` happen in the cluster, and return what comes back.

        Raises:
            KafkaError: what ``effect`` raised; ``refusal``, without any effect; or
                RequestTimedOutError after ``patience`` seconds, with the effect or without.
        """
        fate = self._next_fate(process, operation, about)
        await self._befall_before(process, fate, refusal)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if fate.kind not in {Kind.LOST, Kind.CUT_BEFORE}:
            self._send(process, effect, answer, fate)
        if fate.kind is Kind.RESET:
            raise KafkaConnectionError
        try:
            async with asyncio.timeout(patience):
                result: _T = await answer
        except TimeoutError:
            raise RequestTimedOutError from None
        return result

    async def pass_by(self, process: Process, operation: str, refusal: type[KafkaError]) -> None:
        """Meet the fate of a request that has no effect, and needs no answer.

        Raises:
            KafkaError: ``refusal``.
        """
        fate = self._next_fate(process, operation, "")
        await self._befall_before(process, fate, refusal)
        if fate.kind is not Kind.NOTHING:
            self._befall_after(process, fate)
            await asyncio.sleep(0)

    def freeze(self, process: Process, seconds: float) -> None:
        """Freeze a process, and thaw it later."""
        process.freeze()
        later(seconds, process.thaw)

    def cut_off(self, name: str, seconds: float) -> None:
        """Let the processes of this name reach nobody for a while."""
        self._cut[name] = self._cut.get(name, 0) + 1

        def mend() -> None:
            self._cut[name] = max(0, self._cut.get(name, 0) - 1)

        later(seconds, mend)

    def mend(self) -> None:
        """Let everybody reach everybody."""
        self._cut.clear()

    def _next_fate(self, process: Process, operation: str, about: str) -> Fate:
        if process.state is State.BURIED:
            raise KafkaConnectionError("the process is dead")
        self._asked += 1
        now = asyncio.get_running_loop().time()
        fate = self._faults.fate(Point(self._asked, process.name, operation, now))
        if self._cut.get(process.name):
            fate = Fate(Kind.LOST if self._rng.random() < 1 / 2 else Kind.REFUSED)
        if fate.kind in _DEADLY and not process.mortal:
            fate = Fate(Kind.ANSWER_LOST)
        if operation not in IDLE or fate.kind is not Kind.NOTHING:
            suffix = "" if fate.kind is Kind.NOTHING else f" !! {fate.kind} {fate.seconds:.2f}"
            self._trace.add(process.name, f"#{self._asked} {operation} {about}{suffix}")
        return fate

    def _send(
        self,
        process: Process,
        effect: "Callable[[], _T | asyncio.Future[_T]]",
        answer: "asyncio.Future[Any]",
        fate: Fate,
    ) -> None:
        def arrive() -> None:
            if fate.kind is Kind.FENCED:
                self.on_fence(process)
            try:
                result: Any = effect()
            except KafkaError as error:
                result = error
            self._befall_after(process, fate)
            if isinstance(result, asyncio.Future):
                result.add_done_callback(lambda done: reply(done.result()), context=OUTSIDE)
            else:
                reply(result)

        def reply(result: Any) -> None:
            if fate.kind not in {Kind.ANSWER_LOST, Kind.CUT_AFTER}:
                late = fate.seconds if fate.kind is Kind.SLOW_ANSWER else 0.0
                later(late + self._latency(), lambda: _settle(answer, result))

        late = fate.seconds if fate.kind in {Kind.SLOW, Kind.RESET} else 0.0
        later(late + self._latency(), arrive)

    async def _befall_before(self, process: Process, fate: Fate, refusal: type[KafkaError]) -> None:
        match fate.kind:
            case Kind.CRASH_BEFORE:
                self._crash(process)
                await asyncio.sleep(0)
            case Kind.FREEZE_BEFORE:
                self.freeze(process, fate.seconds)
                await asyncio.sleep(0)
            case Kind.CUT_BEFORE:
                self.cut_off(process.name, fate.seconds)
            case Kind.REFUSED:
                await asyncio.sleep(self._latency())
                raise refusal

    def _befall_after(self, process: Process, fate: Fate) -> None:
        match fate.kind:
            case Kind.FENCED_AFTER:
                self.on_fence(process)
            case Kind.CRASH_AFTER:
                self._crash(process)
            case Kind.FREEZE_AFTER:
                self.freeze(process, fate.seconds)
            case Kind.CUT_AFTER:
                self.cut_off(process.name, fate.seconds)

    def _crash(self, process: Process) -> None:
        process.crash()
        self.on_crash(process)

    def _latency(self) -> float:
        return self._rng.uniform(*_LATENCY)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a client is: its process, and the way to the cluster."""

    process: Process
    network: Network
    cluster: Cluster
    rng: Random


def later(seconds: float, action: Callable[[], object]) -> None:
    """Have something happen outside of all processes."""
    asyncio.get_running_loop().call_later(seconds, action, context=OUTSIDE)


def _settle(answer: "asyncio.Future[Any]", result: Any) -> None:
    if answer.done():
        return
    if isinstance(result, KafkaError):
        answer.set_exception(result)
        answer.exception()  # heard, also if nobody waits any more
    else:
        answer.set_result(result)
