"""The order of the steps. Why it is this one is told in the package's docstring."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from enum import StrEnum
from typing import TypeAlias

from receiver.kafka.clients import Clients
from receiver.kafka.topics import enlarge_topic
from receiver.shards.guards import Counts
from receiver.shards.repartition.hold import Hold
from receiver.shards.repartition.plan import Pair, merged
from receiver.shards.repartition.survey import Survey


class Step(StrEnum):
    """What is being done; partitions are marked and finished, entries moved."""

    MARK = "mark"
    MOVE = "move"
    FINISH = "finish"


Progress: TypeAlias = Callable[[Pair, Step, int, int], None]
"""Is told how many partitions or entries of a step are done, and of how many."""


async def repartition(clients: Clients, surveyed: Survey, progress: Progress) -> None:
    """Move the pair that was surveyed; when this returns, shards may work again.

    Raises:
        SessionLost: it was interrupted, by Kafka or by a shard that started; run it again.
        BrokenTable: a table cannot be trusted.
        TopicsFailed: the cluster refused more partitions.
        KafkaError: Kafka cannot be reached.
    """
    if surveyed.done:
        return
    async with AsyncExitStack() as stack:
        await _Run(clients, surveyed, progress, stack).run()


class _Run:
    def __init__(
        self, clients: Clients, surveyed: Survey, progress: Progress, stack: AsyncExitStack
    ) -> None:
        self._clients = clients
        self._pair = surveyed.pair
        self._counts: Counts = surveyed.counts
        self._target = surveyed.target
        self._misplaced = surveyed.misplaced
        self._progress = progress
        self._stack = stack
        self._holds: list[Hold] = []

    async def run(self) -> None:
        target, spec = self._target, self._pair.spec
        await self._mark(range(self._counts.tables), tables=self._counts.tables)
        await enlarge_topic(self._clients, spec.table_topic, target)
        await self._mark(range(self._counts.tables, target), tables=target)
        await enlarge_topic(self._clients, spec.input_topic, target)
        await self._move()
        common = merged(self._pair, [hold.common for hold in self._holds])
        for done, hold in enumerate(self._holds):
            self._progress(self._pair, Step.FINISH, done, target)
            await hold.finish(target, common)
        self._progress(self._pair, Step.FINISH, target, target)

    async def _mark(self, partitions: range, *, tables: int) -> None:
        for partition in partitions:
            self._progress(self._pair, Step.MARK, partition, self._target)
            hold = Hold(self._clients, self._pair, partition)
            self._stack.push_async_callback(hold.release)
            self._holds.append(hold)
            await hold.mark(tables, self._target, has_input=partition < self._counts.inputs)
        self._progress(self._pair, Step.MARK, len(self._holds), self._target)

    async def _move(self) -> None:
        moved = 0

        def tell(count: int) -> None:
            nonlocal moved
            moved += count
            self._progress(self._pair, Step.MOVE, moved, max(moved, self._misplaced))

        tell(0)
        for hold in self._holds:
            await hold.move(self._target, tell)
