"""The transaction coordinator: producer ids, epochs, fencing, time-outs and markers.

As Kafka's, for clients that speak version 0 of its requests: a transaction's end is decided first
and its markers are written later, to each partition at its own moment, so that a commit is
acknowledged before its records are readable; and nothing tells a request of one transaction from
one of the next transaction of the same epoch.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from random import Random

from aiokafka import TopicPartition
from aiokafka.errors import ConcurrentTransactions, InvalidProducerEpoch, InvalidTxnState

from tests.simulation.log import PartitionLog, Payload, Producer
from tests.simulation.process import OUTSIDE

_MARKED_WITHIN = 0.05
_MARKED_SLOWLY_WITHIN = 3.0
_SLOW_MARKERS = 0.05
"""The share of markers that a busy or frozen leader keeps waiting."""

_SWEEP_WITHIN = 10.0
"""Kafka looks for transactions to abort this often (its setting of that name)."""


class Phase(StrEnum):
    """Where a transactional id's current transaction stands."""

    EMPTY = "empty"
    ONGOING = "ongoing"
    ENDING = "ending"
    COMMITTED = "committed"
    ABORTED = "aborted"


@dataclass(slots=True, eq=False)
class Transactional:
    """What the coordinator knows of one transactional id."""

    name: str
    producer_id: int
    timeout: float
    epoch: int = -1
    phase: Phase = Phase.EMPTY
    commit: bool = False
    partitions: dict[TopicPartition, None] = field(default_factory=dict)
    serial: int = 0


class Transactions:
    """The coordinator of all transactional ids; ``starts`` counts the sessions by id."""

    def __init__(
        self,
        log: Callable[[TopicPartition], PartitionLog],
        rng: Random,
        tell: Callable[[str], None],
    ) -> None:
        self.starts: dict[str, list[float]] = {}
        self._log = log
        self._rng = rng
        self._tell = tell
        self._by_name: dict[str, Transactional] = {}
        self._by_id: dict[int, Transactional] = {}

    def initialise(self, name: str, timeout: float) -> Producer:
        """Fence all earlier producers of ``name`` and return the new one's id and epoch.

        Raises:
            ConcurrentTransactions: their open transaction is being aborted; ask again.
        """
        known = self._by_name.get(name)
        if known is None:
            known = Transactional(name, 1000 + len(self._by_name), timeout)
            self._by_name[name] = self._by_id[known.producer_id] = known
        known.timeout = timeout
        if known.phase is Phase.ONGOING:
            known.epoch += 1
            self._end(known, commit=False)
        if known.phase is Phase.ENDING:
            raise ConcurrentTransactions
        known.epoch += 1
        known.phase = Phase.EMPTY
        self.starts.setdefault(name, []).append(asyncio.get_running_loop().time())
        return known.producer_id, known.epoch

    def add_partitions(self, producer: Producer, partitions: Iterable[TopicPartition]) -> None:
        """Begin a transaction, or widen the one under way.

        Raises:
            InvalidProducerEpoch: the producer is fenced.
            ConcurrentTransactions: the last one's markers are not all written.
        """
        known = self._current(producer)
        if known.phase is Phase.ENDING:
            raise ConcurrentTransactions
        if known.phase is not Phase.ONGOING:
            known.phase, known.partitions = Phase.ONGOING, {}
            known.serial += 1
            patience = known.timeout + self._rng.uniform(0, _SWEEP_WITHIN)
            self._later(patience, partial(self._expire, known, known.serial))
        known.partitions.update(dict.fromkeys(partitions))

    def produce(
        self,
        producer: Producer,
        partition: TopicPartition,
        sequence: int,
        payloads: Sequence[Payload],
    ) -> None:
        """Write a batch of the transaction under way.

        A partition's leader learns of a fence only by the marker; until then it takes what will be
        aborted.

        Raises:
            InvalidProducerEpoch: the producer is fenced.
            InvalidTxnState: the partition is in no transaction that is under way.
            OutOfOrderSequenceNumber: a batch before it was lost.
        """
        log = self._log(partition)
        span = log.open.get(producer[0])
        if span is None or span.producer != producer:
            known = self._current(producer)
            if known.phase is not Phase.ONGOING or partition not in known.partitions:
                raise InvalidTxnState
        log.append_in_transaction(producer, sequence, payloads)

    def end(self, producer: Producer, *, commit: bool) -> None:
        """Decide the transaction under way, whichever it is; the markers follow.

        Raises:
            InvalidProducerEpoch: the producer is fenced.
            InvalidTxnState: there is none, or it was decided otherwise.
            ConcurrentTransactions: its markers are being written; ask again.
        """
        known = self._current(producer)
        if known.phase is Phase.ONGOING:
            self._end(known, commit=commit)
        elif known.phase is Phase.EMPTY or known.commit != commit:
            raise InvalidTxnState
        elif known.phase is Phase.ENDING:
            raise ConcurrentTransactions

    def usurp(self, name: str) -> None:
        """Have another owner start a session, and do nothing with it."""
        known = self._by_name.get(name)
        if known is None:
            return
        known.epoch += 1
        if known.phase is Phase.ONGOING:
            self._end(known, commit=False)

    def _current(self, producer: Producer) -> Transactional:
        known = self._by_id[producer[0]]
        if known.epoch != producer[1]:
            raise InvalidProducerEpoch
        return known

    def _expire(self, known: Transactional, serial: int) -> None:
        if known.phase is Phase.ONGOING and known.serial == serial:
            self._tell(f"{known.name}: the transaction takes too long and is aborted")
            known.epoch += 1
            self._end(known, commit=False)

    def _end(self, known: Transactional, *, commit: bool) -> None:
        known.phase, known.commit = Phase.ENDING, commit
        self._tell(f"{known.name}: {'committed' if commit else 'aborted'}")
        unmarked = dict.fromkeys(known.partitions)

        def mark(partition: TopicPartition) -> None:
            self._log(partition).mark(known.producer_id, commit=commit)
            del unmarked[partition]
            if not unmarked:
                known.phase = Phase.COMMITTED if commit else Phase.ABORTED

        for partition in list(unmarked):
            slow = self._rng.random() < _SLOW_MARKERS
            within = _MARKED_SLOWLY_WITHIN if slow else _MARKED_WITHIN
            self._later(self._rng.uniform(0, within), partial(mark, partition))

    @staticmethod
    def _later(seconds: float, action: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(seconds, action, context=OUTSIDE)
