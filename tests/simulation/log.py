"""A partition's log: records and markers by offset, and how far readers of committed ones see."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from aiokafka.errors import OutOfOrderSequenceNumber

from tests.simulation.loop import moment

Producer: TypeAlias = tuple[int, int]
"""A producer's id and epoch."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What a record holds; ``value`` None is a tombstone."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True, eq=False)
class Span:
    """The part of one transaction in one partition; ``committed`` is None while it is open."""

    producer: Producer
    first: int
    committed: bool | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One offset of the log: a record, or the marker that ends ``span`` (``payload`` None).

    ``timestamp`` is in milliseconds since 1970, as brokers give it.
    """

    offset: int
    timestamp: int
    payload: Payload | None
    span: Span | None

    @property
    def readable(self) -> bool:
        """Tell whether a reader of committed records gets it."""
        return self.payload is not None and (self.span is None or self.span.committed is True)


@dataclass(slots=True)
class PartitionLog:
    """The log. Its methods change it at once; when they are called is the network's affair."""

    entries: list[Entry] = field(default_factory=list)
    open: dict[int, Span] = field(default_factory=dict)
    _sequences: dict[Producer, int] = field(default_factory=dict)
    _waiting: "list[asyncio.Future[None]]" = field(default_factory=list)
    _ends: list[tuple[float, int]] = field(default_factory=list)

    @property
    def end(self) -> int:
        """Return the offset of the next entry."""
        return len(self.entries)

    @property
    def stable_end(self) -> int:
        """Return the last stable offset: an open transaction holds up all that follow it."""
        return min((span.first for span in self.open.values()), default=self.end)

    def stable_end_at(self, moment: float) -> int:
        """Return what the last stable offset was, as a leader frozen since then believes it is."""
        at = bisect_right(self._ends, (moment, 1 << 62))
        return self._ends[at - 1][1] if at else 0

    def append(self, payloads: Sequence[Payload], span: Span | None = None) -> int:
        """Append records; return the offset of the first."""
        first = self.end
        now = _timestamp()
        self.entries += [Entry(first + i, now, payload, span) for i, payload in enumerate(payloads)]
        self._changed()
        return first

    def append_in_transaction(
        self, producer: Producer, sequence: int, payloads: Sequence[Payload]
    ) -> None:
        """Append a batch of a transactional producer, unless it is here already.

        Raises:
            OutOfOrderSequenceNumber: a batch before it was lost.
        """
        expected = self._sequences.get(producer, 0)
        if sequence < expected:
            return
        if sequence > expected:
            raise OutOfOrderSequenceNumber
        span = self.open.setdefault(producer[0], Span(producer, self.end))
        self._sequences[producer] = sequence + len(payloads)
        self.append(payloads, span)

    def mark(self, producer_id: int, *, commit: bool) -> None:
        """Write the marker that ends the producer's transaction here; it takes an offset."""
        span = self.open.pop(producer_id, None)
        if span is not None:
            span.committed = commit
        self.entries.append(Entry(self.end, _timestamp(), None, span))
        self._changed()

    def read(
        self, offset: int, limit: int, *, before: int | None = None, committed: bool = True
    ) -> tuple[list[Entry], int]:
        """Return at most ``limit`` records from ``offset``, and where they end.

        With ``before``, only those below this offset; ``committed`` ones, or all there are.
        """
        found: list[Entry] = []
        end = self.stable_end if committed else self.end
        end = end if before is None else min(before, end)
        while offset < end and len(found) < limit:
            entry = self.entries[offset]
            if entry.readable or (entry.payload is not None and not committed):
                found.append(self.entries[offset])
            offset += 1
        return found, offset

    def committed(self) -> list[Entry]:
        """Return all that a reader of committed records can get now."""
        return self.read(0, self.end)[0]

    def changed(self) -> "asyncio.Future[None]":
        """Return what is done when more may be readable."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def _changed(self) -> None:
        self._ends.append((asyncio.get_running_loop().time(), self.stable_end))
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


def _timestamp() -> int:
    return round(moment().timestamp() * 1000)
