"""Membership: which partitions this process is believed to own, and the shards that follow.

The consumer group is used for that knowledge alone. Ownership is a hint; fencing decides.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from receiver.kafka.clients import Clients
from receiver.kafka.discard import discard_consumer
from receiver.kafka.rights import forbidden
from receiver.kafka.strays import end_if_cancelled, strays_are_errors
from receiver.observability.alarms import Alarms
from receiver.shards.freshness import Freshness
from receiver.shards.neighbours import Neighbours
from receiver.shards.open_shard import ShardSpec
from receiver.shards.shard import Shard, ShardState, Work
from receiver.shards.troubles import Troubles

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_POLL_MS = 1000
_REBUILD_AFTER = 1.0
_LEAVE_WITHIN = 5.0
_SILENT_FOR = 60.0
"""Seconds without an answer of the coordinator after which another consumer asks.

Many times what a join may take: giving one up leaves a member behind, for whom all others wait.
"""


class Membership:
    """Keeps this process in the group of its role, and a shard running for each partition owned."""

    def __init__(self, clients: Clients, spec: ShardSpec, work: Work, alarms: Alarms) -> None:
        self._clients = clients
        self._spec = spec
        self._work = work
        self._alarms = alarms
        self._shards: dict[int, tuple[Shard, asyncio.Task[None]]] = {}
        self._owned: frozenset[int] | None = None
        self._freshness = Freshness(clients.timeouts.session)
        self._neighbours = Neighbours()
        self._ending: set[asyncio.Task[None]] = set()
        self._log = log.bind(role=spec.role)
        self._troubles = Troubles(self._log, "membership starts again")
        self._alarm = f"kafka-forbids-{spec.role}"

    @property
    def joined(self) -> bool:
        """Tell whether the group has told us what we own, if only that it is nothing."""
        return self._owned is not None

    @property
    def shards(self) -> Iterable[Shard]:
        """Return the shards of the partitions that we own."""
        return [shard for shard, _ in self._shards.values()]

    async def run(self) -> None:
        """Take part until cancelled; then end the shards and leave the group."""
        try:
            while True:
                try:
                    await self._take_part()
                except Exception as error:  # noqa: BLE001 - without it the process would end
                    self._troubles.met(error, expected=(KafkaError, OSError, AssertionError))
                    self._tell_forbidden(error)
                end_if_cancelled()
                # Shards go on meanwhile: only fencing, or a new assignment, ends them.
                await asyncio.sleep(_REBUILD_AFTER)
        finally:
            await self._end()

    def _tell_forbidden(self, error: Exception) -> None:
        """Have a person give the right, if one is missing."""
        refused = forbidden(error)
        if refused is not None:
            self._alarms.sound("", self._alarm, why=refused.why, remedy=refused.remedy)

    async def _take_part(self) -> None:
        consumer = self._clients.member(self._spec.group)
        self._freshness.heed(consumer)
        leave = False
        try:
            with strays_are_errors():
                await self._follow(consumer)
        except asyncio.CancelledError:
            leave = True
            raise
        finally:
            if leave:
                # First the shards, so that the next owner fences nobody at work.
                await self._end()
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(_LEAVE_WITHIN):
                        await consumer.stop()
            await discard_consumer(consumer)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        """Take part through ``consumer`` until that fails."""
        async with asyncio.timeout(self._clients.timeouts.start):
            await consumer.start()
        listener = _Listener(consumer, self._assigned)
        consumer.subscribe([self._spec.input_topic], listener=listener)
        since = asyncio.get_running_loop().time()
        while True:
            await self._poll(consumer, since)
            self._revive()

    async def _poll(self, consumer: AIOKafkaConsumer, since: float) -> None:
        """Fetch nothing: a member that never fetches is put out of the group.

        It waits for as long as aiokafka joins, which can be for ever.
        """
        try:
            async with asyncio.timeout_at(max(since, self._freshness.answered) + _SILENT_FOR):
                await consumer.getmany(timeout_ms=_POLL_MS)
        except TimeoutError as error:
            raise KafkaError("the group's coordinator does not answer") from error

    def _assigned(self, partitions: frozenset[int]) -> None:
        self._log.info("partitions assigned", partitions=sorted(partitions))
        self._owned = partitions
        self._alarms.over("", self._alarm)
        self._release(self._shards.keys() - partitions)
        for partition in partitions:
            _, task = self._shards.get(partition, (None, None))
            if task is None or task.done():
                self._start(partition)

    def _start(self, partition: int) -> None:
        shard = Shard(
            self._clients,
            self._spec,
            partition,
            self._work,
            self._alarms,
            self._freshness,
            self._neighbours,
        )
        task = asyncio.create_task(shard.run(), name=f"{self._spec.role}-shard-{partition}")
        self._shards[partition] = (shard, task)

    def _revive(self) -> None:
        """Start fenced shards again that are still ours after a whole session timeout.

        Earlier would let a thawed zombie steal its partition back; but a transaction that the
        broker timed out fences its owner too, and no assignment follows that. A shard waits until
        the membership is fresh, and what is fresh after so long was heard after the fencing.
        """
        patience = self._clients.timeouts.session
        for partition, (shard, task) in list(self._shards.items()):
            if task.done() and shard.has_been(ShardState.FENCED, patience):
                self._start(partition)

    def _release(self, partitions: Iterable[int]) -> None:
        for partition in list(partitions):
            _, task = self._shards.pop(partition)
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _end(self) -> None:
        self._release(self._shards)
        if self._ending:
            await asyncio.wait(set(self._ending))


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(
        self, consumer: AIOKafkaConsumer, assigned: Callable[[frozenset[int]], None]
    ) -> None:
        self._consumer = consumer
        self._assigned = assigned

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Ignore it: an eager rebalance revokes everything, also what comes back at once."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Hand on what is owned now."""
        try:
            for partition in assigned:
                self._consumer.pause(partition)
                # A paused partition without a position would go on asking for its offset.
                self._consumer.seek(partition, 0)
            self._assigned(frozenset(tp.partition for tp in assigned))
        except Exception:
            # aiokafka would log it and go on; the next assignment sets it right.
            log.exception("an assignment was not carried out")
