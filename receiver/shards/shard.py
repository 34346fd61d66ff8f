"""The life of a shard: a straight line from start to loss, walked again after every error."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from receiver.kafka.clients import Clients
from receiver.kafka.discard import discard_consumer
from receiver.kafka.rights import forbidden
from receiver.kafka.strays import end_if_cancelled, strays_are_errors
from receiver.observability.alarms import Alarms
from receiver.shards.freshness import Freshness
from receiver.shards.neighbours import Neighbours
from receiver.shards.open_shard import OpenShard, ShardSpec
from receiver.shards.session import Fenced, Session, SessionLost
from receiver.shards.table import BrokenTable
from receiver.shards.troubles import Troubles

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_SHORTEST_BACKOFF = 0.05
_LONGEST_BACKOFF = 5.0
_TELL_EVERY = 5.0
"""Seconds between two log lines about a restore."""
_WELL_AFTER = 10.0
"""Seconds of running after which a failure is not taken for the last one, met again."""

Work: TypeAlias = Callable[[OpenShard], Awaitable[None]]
"""The role's own code: runs on a restored shard until it is cancelled or the session is lost."""


class ShardState(StrEnum):
    """Where a shard stands."""

    STARTING = "starting"
    RESTORING = "restoring"
    RUNNING = "running"
    RETRYING = "retrying"
    FENCED = "fenced"
    BROKEN = "broken"


class Shard:
    """Runs the work of one partition for as long as this process is believed to own it.

    It starts only while that belief is fresh, since to start is to fence whoever is at work.
    """

    def __init__(
        self,
        clients: Clients,
        spec: ShardSpec,
        partition: int,
        work: Work,
        alarms: Alarms,
        freshness: Freshness,
        neighbours: Neighbours | None = None,
    ) -> None:
        self.partition = partition
        self.state = ShardState.STARTING
        self.problem = ""
        self.open: OpenShard | None = None
        self._clients = clients
        self._spec = spec
        self._work = work
        self._alarms = alarms
        self._freshness = freshness
        self._neighbours = neighbours
        self._since = 0.0
        self._alarm = f"broken-{spec.role}-shard-{partition}"
        self._log = log.bind(role=spec.role, partition=partition)
        self._troubles = Troubles(self._log, "the shard starts again")

    async def run(self) -> None:
        """Work until cancelled, or until another owner fences us; then return."""
        try:
            await self._run()
        finally:
            self._alarms.over("", self._alarm)

    async def _run(self) -> None:
        backoff = _SHORTEST_BACKOFF
        while True:
            await self._until_fresh()
            try:
                with strays_are_errors():
                    await self._live()
            except Fenced as error:
                self._enter(ShardState.FENCED, str(error))
                self._log.info("another owner took this partition over")
                return
            except BrokenTable as error:
                self._enter(ShardState.BROKEN, str(error))
                self._alarms.sound(
                    "",
                    self._alarm,
                    why=str(error),
                    remedy="see 'A shard refuses to work' in docs/operations.md; the rest goes on",
                )
                backoff = 30.0
            except Exception as error:  # noqa: BLE001 - whatever it was, only a new session is safe
                if self.has_been(ShardState.RUNNING, _WELL_AFTER):
                    backoff = _SHORTEST_BACKOFF
                self._enter(ShardState.RETRYING, repr(error))
                self._troubles.met(error, expected=(SessionLost,))
                refused = forbidden(error)
                if refused is not None:
                    self._alarms.sound("", self._alarm, why=refused.why, remedy=refused.remedy)
            # Throwing the session away may have failed, and hidden that we are not to go on.
            end_if_cancelled()
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, _LONGEST_BACKOFF)

    async def _until_fresh(self) -> None:
        if not self._freshness.fresh:
            self._log.info("the shard waits until the group counts this process in again")
            await self._freshness.wait()

    async def _live(self) -> None:
        session = Session(self._clients, self._spec.transactional_id(self.partition))
        consumer = self._clients.partition_consumer()
        try:
            await session.start()
            await _start(consumer, self._clients.timeouts.start)
            opened = OpenShard(self._spec, self.partition, session, consumer, self._neighbours)
            self._enter(ShardState.RESTORING)
            await opened.restore(self._progress())
            self.open = opened
            self._enter(ShardState.RUNNING)
            self._log.info("the shard runs", entries=len(opened.entries), at=opened.position.offset)
            # Not at once: a right may be missed only by what it writes, at every start again.
            well = asyncio.get_running_loop().call_later(_WELL_AFTER, self._well)
            try:
                await self._work(opened)
            finally:
                well.cancel()
        finally:
            self.open = None
            # Shielded: a second cancel must not leave a producer behind that still sends.
            await asyncio.shield(asyncio.ensure_future(_discard(session, consumer)))

    def _progress(self) -> Callable[[int], None]:
        """Return what tells now and then how many records of the table were read."""
        loop = asyncio.get_running_loop()
        next_at = loop.time() + _TELL_EVERY

        def tell(read: int) -> None:
            nonlocal next_at
            if loop.time() >= next_at:
                next_at = loop.time() + _TELL_EVERY
                self._log.info("restoring", read=read)

        return tell

    def _well(self) -> None:
        self._alarms.over("", self._alarm)

    def _enter(self, state: ShardState, problem: str = "") -> None:
        self.state, self.problem = state, problem
        self._since = asyncio.get_running_loop().time()

    def has_been(self, state: ShardState, seconds: float) -> bool:
        """Tell whether the shard is in ``state``, and has been for longer than ``seconds``."""
        return self.state is state and asyncio.get_running_loop().time() - self._since > seconds


async def _start(consumer: AIOKafkaConsumer, limit: float) -> None:
    try:
        async with asyncio.timeout(limit):
            await consumer.start()
    except (KafkaError, OSError, TimeoutError) as error:
        raise SessionLost(f"the consumer did not start: {error!r}") from error


async def _discard(session: Session, consumer: AIOKafkaConsumer) -> None:
    await asyncio.gather(session.discard(), discard_consumer(consumer))
