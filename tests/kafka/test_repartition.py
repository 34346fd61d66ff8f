"""Repartition on Kafka: whenever it is interrupted, no shard works on half a state."""

import asyncio

import pytest

from receiver.kafka.topics import enlarge_topic
from receiver.shards.repartition.hold import Hold
from receiver.shards.repartition.plan import Refused
from receiver.shards.repartition.run import Step
from receiver.shards.session import Batches, Fenced, Session, SessionLost
from receiver.shards.table import BrokenTable
from tests.kafka import shards
from tests.kafka.cluster import Cluster
from tests.kafka.reader import read_committed
from tests.kafka.tables import NEW, OLD, Tables

OFFSETS = {0: 10, 1: 11, 2: 0}


@pytest.fixture
async def tables(kafka_cluster: Cluster, topic_prefix: str) -> Tables:
    """Return a table of two partitions that is to have three."""
    return await Tables.made(kafka_cluster, topic_prefix)


class Sabotage:
    """Ends a run after its n-th commit, which took effect, though the run never learns that."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self._commit = Session.commit
        sabotage = self

        async def commit(session: Session, batches: Batches) -> None:
            await sabotage._commit(session, batches)
            sabotage.left -= 1
            if sabotage.left == 0:
                raise SessionLost("sabotaged")

        patch.setattr(Session, "commit", commit)


async def _inputs(tables: Tables) -> int:
    session = Session(tables.clients, "a stranger")
    await session.start()
    count = await session.partitions(tables.pair.spec.input_topic)
    await session.discard()
    return count


async def test_every_entry_gets_to_its_home(tables: Tables) -> None:
    """All entries are where they are looked for, once, with the positions as they were."""
    steps: list[tuple[Step, int, int]] = []
    await tables.repartition(lambda _, step, done, of: steps.append((step, done, of)))
    await tables.assert_moved(OFFSETS)
    assert [(done, of) for step, done, of in steps if step is Step.FINISH][-1] == (NEW, NEW)
    moved = [(done, of) for step, done, of in steps if step is Step.MOVE]
    assert moved[-1][0] == moved[-1][1] > 0


@pytest.mark.timeout(600)
async def test_interrupted_after_any_commit_it_goes_on_where_it_stopped(
    kafka_cluster: Cluster, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever commit was the last: shards refuse or have all, and the next run gets to the end.

    Each run is interrupted one commit later than the one before, on tables of its own.
    """
    sabotage = Sabotage(monkeypatch)
    interrupted = 0
    while True:
        tables = await Tables.made(kafka_cluster, f"{topic_prefix}{interrupted}.")
        sabotage.left = interrupted + 1
        try:
            await tables.repartition()
        except SessionLost:
            sabotage.left = 0
            interrupted += 1
        else:
            break
        await tables.assert_none_works_on_half_a_state(await _inputs(tables))
        await tables.repartition()
        await tables.assert_moved(OFFSETS)
    # A barrier and a mark for each partition, a barrier and moves for each old one, and the ends.
    assert interrupted == 2 * NEW + 2 * OLD + NEW


async def test_a_replica_started_in_the_middle_refuses_and_ends_the_run(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the old number or the new one, in any partition; the next run gets to the end."""
    move = Hold.move

    async def move_beside_others(hold: Hold, *arguments: object) -> None:
        for partition in range(NEW):
            for configured in (OLD, NEW):
                refusal = await tables.open(partition, configured)
                assert isinstance(refusal, BrokenTable)
                assert "repartition to 3 is under way" in str(refusal)
        await move(hold, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Hold, "move", move_beside_others)
        with pytest.raises(Fenced):
            await tables.repartition()
    await tables.repartition()
    await tables.assert_moved(OFFSETS)


async def test_a_run_that_was_paused_changes_nothing_after_another_finished(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thawed between move and finish, it is fenced, and shards keep what they did meanwhile."""
    finish = Hold.finish
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def finish_late(hold: Hold, *arguments: object) -> None:
        reached.set()
        await go_on.wait()
        await finish(hold, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Hold, "finish", finish_late)
        paused = asyncio.create_task(tables.repartition())
        await reached.wait()
    await tables.repartition()
    opened = await tables.open(0, NEW)
    assert isinstance(opened, shards.Opened)
    await opened.shard.commit({}, offset=12)
    go_on.set()
    with pytest.raises(Fenced):
        await paused
    await opened.discard()
    await tables.assert_moved({**OFFSETS, 0: 12})


async def test_topics_enlarged_by_hand_are_made_right(tables: Tables) -> None:
    """Shards refuse what somebody enlarged; a repartition moves what belongs elsewhere now."""
    for topic in tables.pair.topics:
        await enlarge_topic(tables.clients, topic, NEW)
    for partition in range(NEW):
        assert isinstance(await tables.open(partition, NEW), BrokenTable)
    await tables.repartition()
    await tables.assert_moved(OFFSETS)


async def test_once_more_changes_nothing(tables: Tables, kafka_cluster: Cluster) -> None:
    """A run that has nothing to do fences nobody and writes nothing."""
    await tables.repartition()
    opened = await tables.open(0, NEW)
    assert isinstance(opened, shards.Opened)
    before = await asyncio.to_thread(
        read_committed, kafka_cluster.bootstrap_servers, [tables.pair.spec.table_topic]
    )
    await tables.repartition()
    after = await asyncio.to_thread(
        read_committed, kafka_cluster.bootstrap_servers, [tables.pair.spec.table_topic]
    )
    assert after == before
    await opened.shard.commit({})
    await opened.discard()


async def test_fewer_partitions_are_refused_and_nothing_is_changed(tables: Tables) -> None:
    """Kafka takes none away; shards go on as before."""
    with pytest.raises(Refused, match="takes no partitions away"):
        await tables.repartition(target=1)
    await tables.assert_none_works_on_half_a_state(OLD)
    opened = await tables.open(0, OLD)
    assert isinstance(opened, shards.Opened)
    await opened.discard()
