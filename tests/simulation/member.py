"""A simulated aiokafka consumer in a group, for its membership alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    NoError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.protocol.group import HeartbeatRequest, SyncGroupRequest

from tests.simulation.group import Group, Joined
from tests.simulation.network import Site
from tests.simulation.process import State
from tests.simulation.reader import Reader

_T = TypeVar("_T")


class SimulatedMember(Reader):
    """What the real code uses of ``AIOKafkaConsumer`` in a group, for membership alone."""

    def __init__(
        self,
        site: Site,
        *,
        group_id: str,
        session_timeout_ms: int,
        rebalance_timeout_ms: int,
        heartbeat_interval_ms: int,
        **settings: Any,
    ) -> None:
        super().__init__(site, **settings)
        self._group_id = group_id
        self._session = session_timeout_ms / 1000
        self._rebalance = rebalance_timeout_ms / 1000
        self._heartbeat = heartbeat_interval_ms / 1000
        self._name: str | None = None
        self._generation = 0
        self._topic = ""
        self._listener: Any = None
        self._coordination: asyncio.Task[None] | None = None
        self._client.send = _send

    def subscribe(self, topics: Sequence[str], *, listener: Any) -> None:
        """Join the group of one topic, and tell ``listener`` what is assigned."""
        [self._topic] = topics
        self._listener = listener
        self._coordination = asyncio.create_task(self._coordinate(), name="coordination")
        # A defect of the simulation must not look like a member that is silent.
        self._coordination.add_done_callback(lambda task: task.cancelled() or task.result())

    def pause(self, partition: TopicPartition) -> None:
        """Do nothing: nothing is fetched."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Do nothing: nothing is fetched."""

    async def getmany(self, *, timeout_ms: int) -> dict[Any, Any]:
        """Return nothing, after a while.

        Raises:
            KafkaError: as it comes.
        """
        await asyncio.sleep(timeout_ms / 1000)
        await self._site.network.pass_by(self._site.process, "poll", CorruptRecordException)
        return {}

    async def stop(self) -> None:
        """Leave the group.

        Raises:
            KafkaError: nobody was told.
        """
        self._closed = True
        if self._coordination is not None:
            self._coordination.cancel()
            await asyncio.wait([self._coordination])
        if self._name is not None:
            name, self._name = self._name, None
            await self._ask("leave", lambda: self._group.leave(name))

    @property
    def _group(self) -> Group:
        return self._site.cluster.group(self._group_id, self._topic)

    async def _coordinate(self) -> None:
        """Join and send heartbeats, until ended."""
        while not self._closed and self._site.process.state is not State.BURIED:
            try:
                await self._join()
                await self._beat()
            except UnknownMemberIdError:
                self._name = None
            except KafkaError:
                await asyncio.sleep(0.1)

    async def _beat(self) -> None:
        """Send heartbeats until there is a rebalance."""
        rebalance = False
        while not rebalance:
            await asyncio.sleep(self._heartbeat)
            rebalance = await self._exchange(
                "heartbeat",
                HeartbeatRequest(self._group_id, self._generation, self._name or ""),
                lambda: self._group.heartbeat(self._known_as(), self._generation),
            )

    def _known_as(self) -> str:
        if self._name is None:
            raise UnknownMemberIdError
        return self._name

    async def _join(self) -> None:
        client = self._site.process.name
        await self._listener.on_partitions_revoked(set())
        joined: Joined = await self._ask(
            "join",
            lambda: self._group.join(self._name, client, self._session, self._rebalance),
            self._name or "",
        )
        self._name, self._generation = joined
        owned = await self._exchange(
            "sync",
            SyncGroupRequest(self._group_id, self._generation, self._name, "", []),
            lambda: self._group.sync(self._known_as(), self._generation),
        )
        partitions = {TopicPartition(self._topic, partition) for partition in owned}
        await self._listener.on_partitions_assigned(partitions)

    async def _exchange(self, operation: str, request: object, effect: Callable[[], _T]) -> _T:
        """Ask the group as aiokafka does: through ``client.send``, whose answers hold errors.

        Raises:
            KafkaError: there is no answer, or it holds one.
        """

        async def ask() -> Any:
            try:
                result = await self._ask(operation, effect)
            except (RebalanceInProgressError, UnknownMemberIdError) as error:
                return SimpleNamespace(error_code=error.errno, error=error)
            return SimpleNamespace(error_code=NoError.errno, error=None, result=result)

        response = await self._client.send(0, request, ask=ask)
        if response.error is not None:
            raise response.error
        result: _T = response.result
        return result


async def _send(_: int, __: object, *, ask: Callable[[], Awaitable[_T]]) -> _T:
    return await ask()
