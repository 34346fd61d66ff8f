"""The load: one thread that sends requests made beforehand, and counts what comes back.

It must cost much less than what it measures, since the broker shares its core.
"""

import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Final

from tests.bench.cores import cpu_seconds
from tests.bench.receive.pool import Answered, Pool
from tests.bench.receive.wire import OK
from tests.bench.undisturbed import undisturbed

CONNECTIONS: Final = 64

ANSWER_WITHIN: Final = 10.0
"""Seconds that an answer is waited for where nothing else is to be done."""

_clock = time.perf_counter


@dataclass(frozen=True, slots=True)
class Shape:
    """How to load a server: warmed up for ``warm`` seconds, then measured for ``seconds``.

    ``rate`` is requests a second, by the clock; None sends the next request as soon as one is
    answered. ``pid`` is the process whose processor time is taken meanwhile.
    """

    seconds: float
    warm: float = 0.5
    rate: float | None = None
    connections: int = CONNECTIONS
    pid: int | None = None


@dataclass(slots=True)
class Outcome:
    """What came of it.

    ``acknowledged`` says how often each request was answered 200, warm-up included. All else is of
    the measured time alone: ``statuses``; ``latencies`` in seconds, infinite for what was not
    answered 200; the processor time of the server, and of the load itself.
    """

    acknowledged: "array[int]"
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    load_cpu_seconds: float = 0.0

    @property
    def accepted(self) -> int:
        """Return how many requests were answered 200."""
        return self.statuses[OK]

    @property
    def refused(self) -> int:
        """Return how many requests were answered otherwise, or not at all."""
        return self.statuses.total() - self.accepted

    @property
    def a_second(self) -> float:
        """Return the 200s a second."""
        return self.accepted / self.seconds

    @property
    def a_cpu_second(self) -> float:
        """Return the 200s for each second of processor time that the server used."""
        return self.accepted / self.cpu_seconds

    def latency(self, share: float) -> float:
        """Return the latency, in seconds, that ``share`` of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def run(address: tuple[str, int], requests: Sequence[bytes], shape: Shape) -> Outcome:
    """Load the server at ``address`` with ``requests``, again from the first after the last.

    Raises:
        OSError: nobody listens there.
        TimeoutError: it does not answer any more.
        UnreadableAnswer: what answers there is not understood.
    """
    with closing(Pool(address, shape.connections)) as pool, undisturbed():
        load = _Load(pool, requests, shape)
        if shape.rate is None:
            load.closed()
        else:
            load.open(shape.rate)
        return load.outcome


class _Load:
    def __init__(self, pool: Pool, requests: Sequence[bytes], shape: Shape) -> None:
        self.outcome = Outcome(array("I", bytes(4 * len(requests))))
        self._pool = pool
        self._requests = requests
        self._shape = shape
        self._next = 0
        self._measured_from = inf
        """The requests of this moment and later are those whose latency counts."""

    def closed(self) -> None:
        """Send the next request as soon as one is answered."""
        self._repeat_until(_clock() + self._shape.warm)
        with self._measured(_clock()):
            self._repeat_until(_clock() + self._shape.seconds)
        self._await_the_last()

    def open(self, rate: float) -> None:
        """Send each request when it is due, however long the answers take."""
        start, warm = _clock(), round(rate * self._shape.warm)
        total = warm + round(rate * self._shape.seconds)
        self._follow(start + number / rate for number in range(warm))
        with self._measured(start + warm / rate):
            self._follow(start + number / rate for number in range(warm, total))
            self._await_the_last()

    def _repeat_until(self, end: float) -> None:
        while (now := _clock()) < end:
            while self._pool.free:
                self._send(_clock())
            self._receive(end - now)

    def _follow(self, schedule: Iterable[float]) -> None:
        for due in schedule:
            while (wait := due - _clock()) > 0:
                self._receive(wait)
            # Where none is free the request waits, and its latency runs from when it was due.
            self._await_a_free_one()
            self._send(due)

    def _await_a_free_one(self) -> None:
        end = _clock() + ANSWER_WITHIN
        while not self._pool.free:
            if _clock() > end:
                raise TimeoutError(f"no answer for {ANSWER_WITHIN:g} seconds")
            # What comes may be a part of an answer.
            self._receive(max(0.0, end - _clock()))

    def _await_the_last(self) -> None:
        end = _clock() + ANSWER_WITHIN
        while self._pool.unanswered and (left := end - _clock()) > 0:
            self._receive(left)
        self._count(self._pool.unanswered)

    def _send(self, since: float) -> None:
        number = self._next
        self._next = (number + 1) % len(self._requests)
        self._pool.send(number, self._requests[number], since)

    def _receive(self, within: float) -> None:
        self._count(self._pool.receive(within))

    def _count(self, answered: Iterable[Answered]) -> None:
        outcome, now, measured_from = self.outcome, _clock(), self._measured_from
        for request, since, status in answered:
            if status == OK:
                outcome.acknowledged[request] += 1
            if measured_from < inf:
                outcome.statuses[status] += 1
                if since >= measured_from:
                    outcome.latencies.append(now - since if status == OK else inf)

    @contextmanager
    def _measured(self, since: float) -> Iterator[None]:
        outcome, pid = self.outcome, self._shape.pid
        self._measured_from = since
        started, load_used = _clock(), time.process_time()
        used = 0.0 if pid is None else cpu_seconds(pid)
        yield
        self._measured_from = inf
        outcome.cpu_seconds = 0.0 if pid is None else cpu_seconds(pid) - used
        outcome.load_cpu_seconds = time.process_time() - load_used
        outcome.seconds = _clock() - started
