"""The faults, by name: each takes away one thing on which exactly-once or durability rests."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from receiver.kafka.clients import Clients
from receiver.shards import open_shard
from receiver.shards.freshness import Freshness
from receiver.shards.open_shard import OpenShard, ShardSpec
from receiver.shards.session import Batches, Session
from receiver.shards.shard import Shard
from receiver.shards.table import Table
from receiver.spool import database as spool_database
from receiver.spool.errors import SpoolFailed
from receiver.spool.file import Spooled
from receiver.spool.spool import Spool

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

Build: TypeAlias = Callable[[pytest.MonkeyPatch], None]

HELD_BACK = 1.0
"""Seconds for which the spool that answers early keeps observations in memory."""


def sends_unchecked(patch: pytest.MonkeyPatch) -> None:
    """A transaction is committed whatever became of its records."""

    async def transact(session: Session, batches: Batches) -> None:
        producer = session._producer
        await producer.begin_transaction()
        for (topic, partition), records in batches.items():
            session._track(topic)
            for batch in session._fill(records):
                sent = await producer.send_batch(batch, topic, partition=partition)
                sent.add_done_callback(lambda done: done.exception())
        await producer.commit_transaction()

    patch.setattr(Session, "_transact", transact)


def ledger_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A new owner takes the input position over, and none of what was published."""
    own_table = open_shard.own_table

    async def own_position(*arguments: Any) -> Table:
        table = await own_table(*arguments)
        return Table(position=table.position)

    patch.setattr(open_shard, "own_table", own_position)


def restored_to_the_end_offset(patch: pytest.MonkeyPatch) -> None:
    """The table is read up to the end that its leader names, without a barrier."""

    async def read_table(
        _: Session, consumer: AIOKafkaConsumer, partition: TopicPartition, *__: object
    ) -> Table:
        table = Table()
        [first] = (await consumer.beginning_offsets([partition])).values()
        [end] = (await consumer.end_offsets([partition])).values()
        consumer.assign([partition])
        consumer.seek(partition, first)
        while await consumer.position(partition) < end:
            fetched = await consumer.getmany(partition, timeout_ms=250)
            for record in fetched.get(partition, ()):
                table.apply(record.key, record.value)
        log.info("restored to the end", end=end)
        return table

    patch.setattr(open_shard, "own_table", read_table)


def fenced_starts_again(patch: pytest.MonkeyPatch) -> None:
    """A shard that was fenced takes its partition back at once, whatever the group says."""
    run = Shard.run

    async def run_for_ever(shard: Shard) -> None:
        while True:
            await run(shard)

    patch.setattr(Shard, "run", run_for_ever)
    patch.setattr(Freshness, "fresh", property(lambda _: True))


def unfenced(patch: pytest.MonkeyPatch) -> None:
    """The transactional id belongs to the process: a new owner fences nobody."""
    transactional_id = ShardSpec.transactional_id

    def of_the_process(spec: ShardSpec, partition: int) -> str:
        return f"{transactional_id(spec, partition)}-{os.getpid()}"

    patch.setattr(ShardSpec, "transactional_id", of_the_process)


def spool_answers_early(patch: pytest.MonkeyPatch) -> None:
    """The spool confirms an observation that waits in memory to be written."""
    append = Spool.append
    under_way: set[asyncio.Task[None]] = set()

    async def later(spool: Spool, record: Spooled) -> None:
        await asyncio.sleep(HELD_BACK)
        await append(spool, record)

    async def append_later(spool: Spool, record: Spooled) -> None:
        if spool.problem:
            raise SpoolFailed(spool.problem)
        task = asyncio.create_task(later(spool, record))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    patch.setattr(Spool, "append", append_later)


def _synchronous(level: str, patch: pytest.MonkeyPatch) -> None:
    check = spool_database._check_durability

    def check_and_weaken(database: sqlite3.Connection) -> None:
        check(database)
        database.execute(f"PRAGMA synchronous = {level}")

    patch.setattr(spool_database, "_check_durability", check_and_weaken)


def spool_never_synced(patch: pytest.MonkeyPatch) -> None:
    """SQLite runs with synchronous=OFF: nothing waits for the disk."""
    _synchronous("OFF", patch)


def spool_synced_at_checkpoints(patch: pytest.MonkeyPatch) -> None:
    """SQLite runs with synchronous=NORMAL: in WAL mode, commits do not wait for the disk."""
    _synchronous("NORMAL", patch)


def spool_folder_not_synced(patch: pytest.MonkeyPatch) -> None:
    """The file is synced, but not that its folder is there."""
    patch.setattr(spool_database, "_sync_folder", lambda _: None)


GATE = "SABOTAGE_GATE"
"""In the environment: the file for which :func:`gated` waits, with servers as Kafka's clients
take them."""


def gated(patch: pytest.MonkeyPatch) -> None:
    """No fault: a shard whose session has started waits for a file, and reads by its servers.

    Those servers alone tell it who leads what. A consumer of aiokafka asks any broker of the
    cluster instead, whatever it was started with: one that is frozen, as often as not, for as long
    as its request may take.
    """
    restore = OpenShard.restore
    gate = Path(os.environ[GATE])

    def servers() -> str:
        while not gate.exists():
            time.sleep(0.02)
        return gate.read_text()

    async def restore_behind_the_gate(opened: OpenShard, progress: Callable[[int], None]) -> None:
        for topic in (opened.spec.input_topic, opened.spec.table_topic):
            # Asked while whoever knows can be reached.
            await opened._session.partitions(topic)
        log.info("at the gate")
        allowed = await asyncio.to_thread(servers)
        opened._consumer = Clients({"bootstrap_servers": allowed}).partition_consumer()
        _ask_only(opened._consumer, allowed)
        await opened._consumer.start()
        await restore(opened, progress)

    patch.setattr(OpenShard, "restore", restore_behind_the_gate)


def _ask_only(consumer: AIOKafkaConsumer, servers: str) -> None:
    """Have a consumer ask no other servers for metadata; leaders it reaches wherever they are."""
    cluster = consumer._client.cluster
    known, allowed = cluster.brokers, servers.split(",")
    cluster.brokers = lambda: {each for each in known() if f"{each.host}:{each.port}" in allowed}


BUILDS: dict[str, Build] = {
    build.__name__.replace("_", "-"): build
    for build in (
        *(sends_unchecked, ledger_forgotten, restored_to_the_end_offset, fenced_starts_again),
        *(unfenced, spool_answers_early, spool_never_synced, spool_synced_at_checkpoints),
        *(spool_folder_not_synced, gated),
    )
}
