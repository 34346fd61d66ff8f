"""Sabotage: the real protocol with one of its rules broken, which the simulation must notice."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from receiver.shards import open_shard, shard
from receiver.shards.freshness import Freshness
from receiver.shards.open_shard import OpenShard, ShardSpec
from receiver.shards.session import Batches, Fenced, Session, SessionLost
from receiver.shards.table import Table
from receiver.shards.unanswered import UnansweredEnds
from tests.simulation.clients import SimulatedClients
from tests.simulation.process import CURRENT

Sabotage: TypeAlias = Callable[[pytest.MonkeyPatch], None]


def commit_in_spite_of_failed_sends(patch: pytest.MonkeyPatch) -> None:
    """Commit without asking what became of the send futures."""

    async def transact(self: Session, batches: Batches) -> None:
        await self._producer.begin_transaction()
        for (topic, partition), records in batches.items():
            for batch in self._fill(records):
                await self._producer.send_batch(batch, topic, partition=partition)
        await self._producer.commit_transaction()

    patch.setattr(Session, "_transact", transact)


def forget_the_ledger(patch: pytest.MonkeyPatch) -> None:
    """Restore the position, and not the ledger's entries."""
    real = open_shard.own_table

    async def own_table(*arguments: Any, **named: Any) -> Table:
        table = await real(*arguments, **named)
        table.entries.clear()
        return table

    patch.setattr(open_shard, "own_table", own_table)


def restore_to_the_end_offset(patch: pytest.MonkeyPatch) -> None:
    """Restore up to what a broker says is the end, instead of to a barrier."""

    async def own_table(
        _: Session, consumer: AIOKafkaConsumer, partition: TopicPartition, *__: object
    ) -> Table:
        table = Table()
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.assign([partition])
        consumer.seek(partition, 0)
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(partition, timeout_ms=250)).values():
                for record in records:
                    if record.offset < end:
                        table.apply(record.key, record.value)
        return table

    patch.setattr(open_shard, "own_table", own_table)


def start_again_when_fenced(patch: pytest.MonkeyPatch) -> None:
    """Have a fenced shard start again at once, whatever the group says of us."""

    class NobodyIsFenced(Exception):
        pass

    patch.setattr(shard, "Fenced", NobodyIsFenced)
    trust_an_old_assignment(patch)


def trust_an_old_assignment(patch: pytest.MonkeyPatch) -> None:
    """Start what was assigned once, however long ago the group was last heard of."""
    patch.setattr(Freshness, "fresh", property(lambda _: True))


def fence_nobody(patch: pytest.MonkeyPatch) -> None:
    """Give each process transactional ids of its own."""

    def transactional_id(self: ShardSpec, partition: int) -> str:
        process = CURRENT.get()
        assert process is not None
        return f"{process.name}-{id(process)}-{self.input_topic}-{partition}"

    patch.setattr(ShardSpec, "transactional_id", transactional_id)


def keep_the_table_of_a_lost_session(patch: pytest.MonkeyPatch) -> None:
    """Merge the table before the commit has succeeded, and go on with it after an error."""
    real, restore = OpenShard.commit, open_shard.own_table
    tables: dict[tuple[object, int], Table] = {}

    async def commit(self: OpenShard, changes: Mapping[bytes, bytes | None], **named: Any) -> None:
        for key, value in changes.items():
            self._table.apply(key, value)
        tables[CURRENT.get(), self.partition] = self._table
        await real(self, changes, **named)

    async def own_table(
        session: Session, consumer: AIOKafkaConsumer, partition: TopicPartition, *rest: Any
    ) -> Table:
        table = await restore(session, consumer, partition, *rest)
        known = tables.get((CURRENT.get(), partition.partition))
        if known is not None:
            table.entries.update(known.entries)
        return table

    patch.setattr(OpenShard, "commit", commit)
    patch.setattr(open_shard, "own_table", own_table)


def reuse_a_session_after_an_error(patch: pytest.MonkeyPatch) -> None:
    """Go on with a session whose commit timed out, once its producer is usable again."""
    real = Session.commit

    async def commit(self: Session, batches: Batches) -> None:
        try:
            await real(self, batches)
        except Fenced:
            raise
        except SessionLost:
            if self._producer._ending is not None:
                await asyncio.wait([self._producer._ending[1]])
            await real(self, batches)

    patch.setattr(Session, "commit", commit)


def trust_a_commit_asked_for_twice(patch: pytest.MonkeyPatch) -> None:
    """Go on with a session whose first asking for a commit may still be on its way."""
    patch.setattr(
        UnansweredEnds, "any", property(lambda _: False, lambda _, __: None), raising=False
    )


def read_what_is_not_committed(patch: pytest.MonkeyPatch) -> None:
    """Read tables with records of transactions that are open, or were aborted."""
    real = SimulatedClients._consumer

    def consumer(self: SimulatedClients, **settings: Any) -> Any:
        return real(self, **{**settings, "isolation_level": "read_uncommitted"})

    patch.setattr(SimulatedClients, "_consumer", consumer)


SABOTAGES: tuple[Sabotage, ...] = (
    commit_in_spite_of_failed_sends,
    forget_the_ledger,
    restore_to_the_end_offset,
    fence_nobody,
    keep_the_table_of_a_lost_session,
    reuse_a_session_after_an_error,
    read_what_is_not_committed,
)
"""What random runs find out; the others need a run of their own."""
